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
)
