"""Generate the cffi module when the package is built; all metadata is in pyproject.toml."""
from setuptools import setup
setup()
