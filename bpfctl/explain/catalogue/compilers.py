"""Failures for want of what a compiler should have written."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_VERSIONS: Final = (
    "What clang writes, by version:\n\n"
    "8: types (.BTF), and which function and source line an instruction is of (.BTF.ext).\n\n"
    "9: variables and their sections, on which `.maps` and global variables depend.\n\n"
    "10: which functions are global or static; CO-RE.\n\n"
    "11: externs (kconfig, ksyms). 12: CO-RE about types and enumerators. 13: floats.\n\n"
    "14: tags of declarations and types. 15: 64-bit enumerators."
)

ENTRIES: Final = (
    Entry(
        "object-without-btf",
        "the object has no type information (BTF)",
        "Maps in section `.maps` are described by types; programs that replace functions"
        " (freplace), that use spin locks, timers or kernel pointers in maps, or that pass"
        " callbacks, are checked against their types. A compiler writes them with `-g`. Old"
        " Makefiles that leave it out, or that run `strip`, lose them (`llvm-strip -g` keeps"
        " them).\n\n" + _VERSIONS,
        "The object has no section .BTF, or no .BTF.ext that describes the function, and has map"
        " definitions or is refused by the kernel with words that say so.",
        "Compile with `-g` and clang 10 or later, or gcc 12 or later with `-gbtf`.",
        "Types are read since Linux 4.18; older kernels are given the object without them.",
    ),
    Entry(
        "btf-without-variables",
        "the type information (BTF) does not list the variables of a section",
        "Which maps are in section `.maps`, and where, stands in a DATASEC, a kind of BTF that"
        " lists variables. The object has BTF but none of those: its compiler is too old, or"
        " something else made its types (`pahole -J` of old versions).\n\n" + _VERSIONS,
        "There is a section .BTF, and no DATASEC of that name in it.",
        "Compile with clang 10 or later and `-g`, without `pahole -J`.",
        "DATASEC is known since Linux 5.2; bpfctl takes it out for older kernels.",
    ),
)
