"""Generate the cffi module when the package is built; all metadata is in pyproject.toml.

Out-of-line ABI mode: no compiler is needed, and nothing is parsed when bpfctl runs.
"""

from __future__ import annotations

import runpy
from pathlib import Path

from cffi import FFI, recompiler
from setuptools import setup
from setuptools.command.build_py import build_py

MODULE = "bpfctl.kernel._cffi"
LIBC = """
long syscall(long number, ...);
int ioctl(int fd, unsigned long request, ...);
int mount(const char *source, const char *target, const char *type, unsigned long flags,
          const void *data);
int umount2(const char *target, int flags);
int unshare(int flags);
void *mmap(void *address, size_t size, int protection, int flags, int fd, long offset);
int munmap(void *address, size_t size);
int capset(void *header, const void *data);
"""


class BuildPy(build_py):
    """Add the generated module to what is built: in place for an editable install."""

    def run(self) -> None:
        """Build the package, then write the module beside the others."""
        super().run()
        relative = Path(*MODULE.split(".")).with_suffix(".py")
        generate(relative if self.editable_mode else Path(self.build_lib) / relative)


def generate(target: Path) -> None:
    """Write the module from the checked-in declarations."""
    here = Path(__file__).parent
    ffi = FFI()
    ffi.cdef(runpy.run_path(str(here / "bpfctl/kernel/uapi_cdef.py"))["CDEF"])
    ffi.cdef(LIBC)
    ffi.set_source(MODULE, None)
    target.parent.mkdir(parents=True, exist_ok=True)
    recompiler.make_py_source(ffi, MODULE, str(target))


if __name__ == "__main__":
    setup(cmdclass={"build_py": BuildPy})
