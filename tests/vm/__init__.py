"""Kernels other than the machine's own, each in a virtual machine: `python -m tests.vm --help`."""
