"""A header for BPF programs from type information (vmlinux.h).

The same BTF gives the same bytes everywhere: nothing but its types decides.
"""

from __future__ import annotations

from bpfctl.btf.c_declare import Declarator, same_size
from bpfctl.btf.c_layout import Layouts
from bpfctl.btf.c_order import Order
from bpfctl.btf.c_unique import Names
from bpfctl.btf.kinds import IntEncoding, Kind
from bpfctl.btf.records import ENUMS, STRUCTS
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Final

    from bpfctl.btf.contexts import Context
    from bpfctl.btf.decode import Btf
    from bpfctl.btf.records import Record

HEAD: Final = """\
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push (__attribute__((preserve_access_index)), apply_to = record)
#endif
"""
# Programs of before such headers declared the functions they used themselves.
KFUNC_HEAD: Final = """
#ifndef BPF_NO_KFUNC_PROTOTYPES
#ifndef __ksym
#define __ksym __attribute__((section(".ksyms")))
#endif
#ifndef __weak
#define __weak __attribute__((weak))
#endif

"""
KFUNC_FOOT: Final = "#endif\n"
KFUNC_TAG: Final = "bpf_kfunc"  # a declaration tag, made by pahole 1.26 and later
POP: Final = """
#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif
"""
FOOT: Final = """
#endif /* __VMLINUX_H__ */
"""
_TOP: Final = (*STRUCTS, *ENUMS, Kind.TYPEDEF)
_NUMBERS: Final = frozenset({Kind.INT, Kind.FLOAT})


class Wanted(NamedTuple):
    """Ids of what a header declares: types with names, nameless enums, and kernel functions.

    A nameless enum that is part of a type comes with it. `contexts` follow all other things.
    """

    named: Sequence[int]
    nameless: Sequence[int] = ()
    kfuncs: Sequence[int] = ()
    contexts: Sequence[Context] = ()

    @classmethod
    def everything(cls, btf: Btf, *, in_order: bool = False) -> Wanted:
        """All that has a name in C, sorted by it unless `in_order`, which is by id."""
        top = [btf.records[type_id] for type_id in btf.ids(_TOP)]
        tags = [btf.records[type_id] for type_id in btf.ids((Kind.DECL_TAG,))]
        named = [one for one in top if one.name]
        nameless = [one for one in top if one.kind in ENUMS and not one.name]
        kfuncs = [btf.records[tag.refers] for tag in tags if tag.name == KFUNC_TAG]
        if not in_order:  # what has the same name stays in the order of ids
            named.sort(key=lambda one: one.name)
            named.sort(key=lambda one: one.kind not in ENUMS)  # nothing they need is before them
            nameless.sort(key=lambda one: _first_constant(btf, one))
            kfuncs.sort(key=lambda one: (one.name, one.id))
        return cls(_ids(named), _ids(nameless), _ids(kfuncs))


def c_header(btf: Btf, wanted: Wanted | None = None) -> Iterator[str]:
    """Yield the text of a header, definition by definition; all types when nothing is `wanted`.

    Raises: BtfError for types that contain themselves, or are nested too deeply.
    """
    wanted = wanted or Wanted.everything(btf)
    try:
        yield from _pieces(btf, wanted)
    except RecursionError:
        raise btf.error("types are nested too deeply to be written as C") from None


def _pieces(btf: Btf, wanted: Wanted) -> Iterator[str]:
    order, writer = Order(btf), _Writer(btf)
    used = (member.type_id for one in wanted.contexts for member in one.members)
    steps = order.steps([*wanted.named, *wanted.kfuncs], used)
    steps += [(i, True) for i in wanted.nameless if i not in order.met]
    yield HEAD
    for type_id, whole in steps:
        found = btf.records[type_id]
        if found.kind is not Kind.FUNC:
            yield writer.definition(found) if whole else writer.declaration(found)
    if wanted.kfuncs:
        yield KFUNC_HEAD
        yield from (writer.function(type_id) for type_id in wanted.kfuncs)
        yield KFUNC_FOOT
    yield POP
    if wanted.contexts:
        from bpfctl.btf.c_contexts import ContextStructs

        structs = ContextStructs(btf, writer.declarator)
        yield from map(structs.text, wanted.contexts)
    yield FOOT


class _Writer:
    def __init__(self, btf: Btf) -> None:
        self._btf = btf
        self._names = Names()
        self.declarator = Declarator(btf, Layouts(btf), self._names)

    def declaration(self, found: Record) -> str:
        """A struct or union that is not defined, or not yet, with the empty line before it."""
        before, _ = self.declarator[found.id]
        return f"\n{before.rstrip()};\n"

    def definition(self, found: Record) -> str:
        """One definition, with the empty line before it."""
        if found.kind in STRUCTS:
            before, _ = self.declarator[found.id]
            return f"\n{before}{self.declarator.body(found)};\n"
        if found.kind in ENUMS:
            body = self.declarator.constants(found) if found.tail else ""
            return f"\nenum {f'{self._names.tag(found)} {body}'.strip()};\n"
        if found.kind is Kind.TYPEDEF:
            return f"\ntypedef {self.declarator.declare(found.refers, self._names.ident(found))};\n"
        if found.kind in _NUMBERS:
            number = same_size(found.refers, signed=_is_signed(found))
            return f"\ntypedef {number} {self._names.ident(found)};\n"
        raise self._btf.error(f"type {found.id} is nothing a header declares", found.id)

    def function(self, func_id: int) -> str:
        """The prototype of a kernel function."""
        func = self._btf.records[func_id]
        name = self._names.ident(func)
        proto = self._btf.records[self._btf.func_proto(func_id).id]
        before, behind = self.declarator[proto.refers]
        return f"extern {before}{name}({self.declarator.params(proto)}){behind} __weak __ksym;\n"


def _is_signed(number: Record) -> bool:
    return number.kind is Kind.INT and bool(number.tail[0] >> 24 & IntEncoding.SIGNED)


def _ids(records: Iterable[Record]) -> list[int]:
    return [one.id for one in records]


def _first_constant(btf: Btf, enum: Record) -> str:
    return btf.texts[enum.tail[0]] if enum.tail else ""
