"""Cut the types of bpf(2) out of a kernel's type information.

`python -m tests.tools.uapi_btf KERNEL OUT` writes what `bpfctl.kernel.uapi_gen` and the tests of
the UAPI need: a few kilobytes that can be checked in, instead of five megabytes. KERNEL is a
kernel image (vmlinuz, vmlinux) or a file of type information (/sys/kernel/btf/vmlinux).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bpfctl.btf import types as t
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.types import Kind
from bpfctl.errors import BtfError
from bpfctl.kernel.uapi_gen import ENUMS, HELPERS, STRUCTS, UNIONS
from tests.tools.kernel_image import btf_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bpfctl.btf.decode import Btf

NAMED = {
    Kind.ENUM: (
        *(name for name, _, _ in (*ENUMS, HELPERS)),
        "bpf_core_relo_kind",
        "perf_sw_ids",
        "perf_type_id",
        "tcx_action_base",
        "xdp_action",
    ),
    Kind.STRUCT: (*STRUCTS, "bpf_insn", "bpf_core_relo"),
    Kind.UNION: UNIONS,
}
# Enums without a name count when all of their values begin like this.
PREFIXES = ("BPF_", "XDP_ATTACHED_")


def reduced(btf: Btf) -> bytes:
    """Return type information of the UAPI's types and all that they refer to."""
    ids = _closure(btf, [*_named(btf), *_anonymous(btf)])
    new_ids = {old: number for number, old in enumerate(ids, 1)}
    builder = BtfBuilder(btf.order)
    for old in ids:
        builder.add(_renumbered(btf.type(old), {0: 0, **new_ids}))
    return builder.build()


def _named(btf: Btf) -> Iterator[int]:
    for kind, names in NAMED.items():
        for name in names:
            found = btf.find(name, kind)
            if found is None:
                raise BtfError(f"this kernel's type information has no {name}")
            yield found


def _anonymous(btf: Btf) -> Iterator[int]:
    for type_id in range(1, len(btf)):
        if btf.kind_number(type_id) in {Kind.ENUM, Kind.ENUM64} and not btf.name(type_id):
            found = btf.type(type_id)
            assert isinstance(found, t.Enum)
            if all(value.name.startswith(PREFIXES) for value in found.values):
                yield type_id


def _closure(btf: Btf, wanted: list[int]) -> list[int]:
    """Return the ids and those they refer to, in the order they are met."""
    found: dict[int, None] = {}
    while wanted:
        type_id = wanted.pop(0)
        if type_id and type_id not in found:
            found[type_id] = None
            wanted += btf.records[type_id].references
    return list(found)


def _renumbered(old: t.Type, new_ids: dict[int, int]) -> t.Type:
    match old:
        case t.Modifier() | t.Ptr():
            return replace(old, type_id=new_ids[old.type_id])
        case t.Array():
            element, index = new_ids[old.elem_type_id], new_ids[old.index_type_id]
            return replace(old, elem_type_id=element, index_type_id=index)
        case t.Struct():
            members = (replace(m, type_id=new_ids[m.type_id]) for m in old.members)
            return replace(old, members=tuple(members))
        case t.Int() | t.Enum() | t.Fwd():
            return old
        case _:
            raise BtfError(f"the UAPI refers to a {old.kind.name}: {old.name}")


def main() -> None:
    """Read the kernel, write the cut."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("kernel", type=Path)
    parser.add_argument("out", type=Path)
    words = parser.parse_args()
    words.out.write_bytes(reduced(btf_of(words.kernel.read_bytes())))


if __name__ == "__main__":
    main()
