"""Type information that bpfctl cannot make sense of."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENTRIES: Final = (
    Entry(
        "btf-unknown-kind",
        "the type information has a kind of types that is newer than bpfctl",
        "BTF is a list of records without an index: who does not know the size of one cannot find"
        " the next. From Linux 7.1 on a section tells the sizes of all kinds. Then bpfctl passes"
        " over those it does not know, says how many there were, and goes on; only what needs such"
        " a type fails. Without that section the whole of the type information is out of reach.",
        "The number of the kind in the record is higher than any that this bpfctl knows.",
        "Use a newer bpfctl; or have the types made by an older pahole or compiler, or without its"
        " newest features. `bpfctl doctor` says how many types of a kernel are passed over.",
        "BTF is there since Linux 4.18, the section with the sizes since 7.1.",
    ),
    Entry(
        "btf-base-differs",
        "the types of a module do not go with those of this kernel",
        "A module's types refer to those of the kernel that it was built with, by their numbers and"
        " the places of their names: with other types they would name anything. A module built"
        " outside of the kernel's tree brings the names and sizes of what it refers to (section"
        " .BTF.base), and is put on any kernel that has all of these, once each, and those that lie"
        " in its own structs in the same size. A kernel that loads the module does the same.",
        "Each type of .BTF.base is looked for in the kernel's types; without that section, whether"
        " the names in the module's types begin where those of the kernel do.",
        "Name the types of the kernel that the module was built with (`--base-btf`), or build it"
        " for this one.",
        "Modules have types since Linux 5.11, .BTF.base since 6.11.",
    ),
)
