"""What is judged: objects, programs of them, and objects on the types of another kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

from bpfctl.elf.reader import read_object
from bpfctl.errors import BpfctlError
from tests.corpus import places

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

TOOLS = ("bpfctl", "bpftool")
# The selftests of CO-RE, and the objects that play the kernel for them.
CORE_TEST, CORE_KERNEL = "test_core_reloc_", "btf__core_reloc_"


class Subject(NamedTuple):
    """An object of the corpus, or a part of what can be asked of it; empty words do not matter.

    `kernel` is an object in the same directory, whose types stand for the kernel's.
    """

    file: str
    program: str = ""
    kernel: str = ""

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read FILE[:PROGRAM] or FILE@KERNEL."""
        rest, _, kernel = name.partition("@")
        file, _, program = rest.partition(":")
        return cls(file, program, kernel)

    @property
    def path(self) -> Path:
        """The object's file."""
        return places.objects() / self.file

    @property
    def kernel_btf(self) -> Path | None:
        """The file whose types stand for the kernel's."""
        return self.path.with_name(self.kernel) if self.kernel else None


def names(patterns: Iterable[str]) -> list[str]:
    """Return the names of subjects that contain one of the patterns; without one: of all."""
    place = places.objects()
    files = sorted(str(path.relative_to(place)) for path in place.rglob("*.o"))
    wanted = list(patterns)
    every = [*files, *_on_other_kernels(files)]
    return [name for name in every if not wanted or any(one in name for one in wanted)]


def _on_other_kernels(files: list[str]) -> Iterator[str]:
    """Yield each test of CO-RE with each object that was made for it, as FILE@KERNEL."""
    kernels = [file for file in files if CORE_KERNEL in file]
    for file in files:
        place, found, words = file.removesuffix(".o").partition(CORE_TEST)
        test = words.removesuffix("_probed").removesuffix("_direct")
        for kernel in kernels if found else ():
            made_for = kernel.removesuffix(".o").removeprefix(place + CORE_KERNEL).split("__")[0]
            if made_for == test:
                yield f"{file}@{kernel.removeprefix(place)}"


def programs(files: Iterable[str], wholes: Mapping[str, Any]) -> Iterator[str]:
    """Yield FILE:PROGRAM for each program of objects that can be read.

    Left out are objects of which both loaded all programs, according to the results `wholes`.
    """
    for name in files:
        subject = Subject.parse(name)
        if subject.kernel:
            continue
        try:
            spec = read_object(str(subject.path))
        except BpfctlError:
            continue
        counts = (len(wholes[name][tool]["programs"]) if name in wholes else 0 for tool in TOOLS)
        if any(count != len(spec.programs) for count in counts):
            yield from (f"{name}:{program.name}" for program in spec.programs)
