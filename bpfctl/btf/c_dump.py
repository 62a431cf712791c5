"""A header for BPF programs from type information (vmlinux.h).

The same BTF gives the same bytes everywhere: nothing but its types decides.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.c_contexts import context_struct
from bpfctl.btf.c_declare import Declarator, same_size
from bpfctl.btf.c_layout import Layouts
from bpfctl.btf.c_order import Order, Step
from bpfctl.btf.c_unique import Names
from bpfctl.btf.types import Kind
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from bpfctl.btf.contexts import Context
    from bpfctl.btf.decode import Btf

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
_TOP: Final = frozenset({Kind.STRUCT, Kind.UNION, Kind.ENUM, Kind.ENUM64, Kind.TYPEDEF})
_ENUMS: Final = frozenset({Kind.ENUM, Kind.ENUM64})


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
        named, nameless = list[int](), list[int]()
        for type_id in btf.ids(_TOP):
            if btf.name(type_id):
                named.append(type_id)
            elif btf.kind_number(type_id) in _ENUMS:
                nameless.append(type_id)
        tags = (btf.type(i) for i in btf.ids((Kind.DECL_TAG,)) if btf.name(i) == KFUNC_TAG)
        kfuncs = [tag.type_id for tag in tags if isinstance(tag, t.DeclTag)]
        if not in_order:
            named.sort(key=lambda i: _rank(btf.type(i)))
            nameless.sort(key=lambda i: (_first_constant(btf.type(i)), i))
            kfuncs.sort(key=lambda i: (btf.name(i), i))
        return cls(named, nameless, kfuncs)


def c_header(btf: Btf, wanted: Wanted | None = None) -> Iterator[str]:
    """Yield the text of a header, definition by definition; all types when nothing is `wanted`.

    Raises: BtfError for types that contain themselves, or are nested too deeply.
    """
    wanted = wanted or Wanted.everything(btf)
    writer = _Writer(btf)
    try:
        order = Order(btf)
        used = (member.type_id for one in wanted.contexts for member in one.members)
        steps = order.steps([*wanted.named, *wanted.kfuncs], used)
        steps += [Step(i, whole=True) for i in wanted.nameless if i not in order.met]
        yield HEAD
        for step in steps:
            if btf.kind_number(step.type_id) != Kind.FUNC:
                yield writer.definition(step)
        if wanted.kfuncs:
            yield KFUNC_HEAD
            yield from (writer.function(type_id) for type_id in wanted.kfuncs)
            yield KFUNC_FOOT
        yield POP
        for context in wanted.contexts:
            yield context_struct(btf, writer.declarator, context)
        yield FOOT
    except RecursionError:
        raise btf.error("types are nested too deeply to be written as C") from None


class _Writer:
    def __init__(self, btf: Btf) -> None:
        self._btf = btf
        self._names = Names()
        self.declarator = Declarator(btf, Layouts(btf), self._names)

    def definition(self, step: Step) -> str:
        """One definition or declaration, with the empty line before it."""
        found = self._btf.type(step.type_id)
        declare = self.declarator
        match found:
            case t.Struct() | t.Fwd() if not step.whole or isinstance(found, t.Fwd):
                return f"\n{declare.parts(found.id).before.rstrip()};\n"
            case t.Struct():
                return f"\n{declare.parts(found.id).before}{declare.body(found)};\n"
            case t.Enum():
                tag = self._names.tag(found)
                body = declare.constants(found) if found.values else ""
                return f"\nenum {f'{tag} {body}'.strip()};\n"
            case t.Int() | t.Float():
                signed = isinstance(found, t.Int) and found.is_signed
                number = same_size(found.size_bytes, signed=signed)
                return f"\ntypedef {number} {self._names.ident(found.id, found.name)};\n"
            case t.Typedef():
                name = self._names.ident(found.id, found.name)
                return f"\ntypedef {declare.declare(found.type_id, name)};\n"
            case _:
                raise self._btf.error(f"type {found.id} is nothing a header declares", found.id)

    def function(self, func_id: int) -> str:
        """The prototype of a kernel function."""
        name = self._names.ident(func_id, self._btf.name(func_id))
        proto = self._btf.func_proto(func_id)
        before, behind = self.declarator.parts(proto.return_type_id)
        params = self.declarator.params(proto)
        return f"extern {before}{name}({params}){behind} __weak __ksym;\n"


def _rank(found: t.Type) -> tuple[bool, str, int]:
    """Enums first, for nothing they need comes before them."""
    return not isinstance(found, t.Enum), found.name, found.id


def _first_constant(found: t.Type) -> str:
    return found.values[0].name if isinstance(found, t.Enum) and found.values else ""
