"""One set of types from those of several modules, each there once.

Modules are built apart, so that two of them have the same struct twice. Types count as one when C
would write them alike: a named struct inside of another type is its name, as long as there is one
struct of that name; where there are several, each is one of its own. That is found out in rounds:
structs that use differing ones differ too.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.decode import MAX_DEPTH, Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.flat import flat
from bpfctl.btf.remap import remapped
from bpfctl.btf.types import Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence
    from typing import Final, TypeAlias

MAX_ROUNDS: Final = 64  # three are enough for real kernels
_ONLY: Final = 0
Node: TypeAlias = tuple[int, int]  # which of the modules, and the id of the type


def merged(base: Btf, modules: Sequence[Btf]) -> Btf:
    """The types of `base`, and behind them those of the modules without duplicates.

    What a module only declares becomes what the base or another module defines, where there is one
    definition. Raises: BtfError for broken types.
    """
    classes = _Classes(base, modules)
    new_ids: dict[int, int] = {}
    firsts: list[Node] = []
    for place, btf in enumerate(modules):
        for type_id in range(btf.first_id, len(btf)):
            number = classes.of((place, type_id))
            if number >= 0 and number not in new_ids:
                new_ids[number] = len(base) + len(firsts)
                firsts.append(classes.definition((place, type_id)))
    builder = BtfBuilder(base.order, first_id=len(base), first_string=base.string_end, wide=True)
    for place, type_id in firsts:

        def new_id(old: int, place: int = place) -> int:
            number = classes.of((place, old))
            return new_ids[number] if number >= 0 else -number

        builder.add(remapped(modules[place].type(type_id), lambda old: old and new_id(old)))
    return Btf.parse(flat(Btf.parse(builder.build(), base=base)), path=base.path)


class _Classes:
    """Tells which types of several modules are one: those of the same class.

    The class of a type of the base is its id below zero.
    """

    def __init__(self, base: Btf, modules: Sequence[Btf]) -> None:
        self._base = base
        self._modules = modules
        self._numbers: dict[Hashable, int] = {}
        self._known: dict[Node, int] = {}
        self._variants: dict[Node, int] = {}
        self._defined: dict[tuple[Kind, str], dict[int, Node]] = {}
        self._in_base: dict[tuple[Kind, str], dict[int, Node]] = {}
        base.index()  # names are looked up by the thousand
        self._refine()

    def of(self, node: Node) -> int:
        """The class of a type; of what is only declared that of its only definition."""
        found = self._type(node)
        if isinstance(found, t.Fwd):
            definitions = self._definitions(_kind(found), found.name)
            if len(definitions) == 1:
                return next(iter(definitions))
        return -node[1] if node[1] < len(self._base) else self._class(node, 0)

    def definition(self, node: Node) -> Node:
        """The type itself, or what defines it where it is only declared."""
        found = self._type(node)
        if isinstance(found, t.Fwd):
            definitions = self._definitions(_kind(found), found.name)
            if len(definitions) == 1:
                return next(iter(definitions.values()))
        return node

    def _type(self, node: Node) -> t.Type:
        return self._modules[node[0]].type(node[1])

    def _definitions(self, kind: Kind, name: str) -> dict[int, Node]:
        """The classes of a name's structs in the base and all modules, each with one of them."""
        in_base = self._in_base.get((kind, name))
        if in_base is None:
            found = self._base.find_all(name, (kind,))
            in_base = self._in_base[kind, name] = {-one: (0, one) for one in found}
        return in_base | self._defined.get((kind, name), {})

    def _refine(self) -> None:
        """Find the classes of all named structs, until a round tells no more of them apart."""
        structs = [
            (place, type_id)
            for place, btf in enumerate(self._modules)
            for type_id in btf.ids((Kind.STRUCT, Kind.UNION))
            if btf.name(type_id)
        ]
        count = 0
        for _ in range(MAX_ROUNDS):
            self._known.clear()
            classes = {node: self._class(node, 0) for node in structs}
            self._defined = {}
            for node, number in classes.items():
                found = self._type(node)
                self._defined.setdefault((found.kind, found.name), {}).setdefault(number, node)
            if len(set(classes.values())) == count:
                return
            count = len(set(classes.values()))
            self._variants = {n: number for n, number in classes.items() if self._is_one_of(n)}

    def _is_one_of(self, node: Node) -> bool:
        found = self._type(node)
        return len(self._definitions(found.kind, found.name)) > 1

    def _class(self, node: Node, depth: int) -> int:
        known = self._known.get(node)
        if known is None:
            if depth > MAX_DEPTH:
                raise self._modules[node[0]].error(f"type {node[1]} is nested too deeply", node[1])
            key = self._key(node, depth)
            known = self._known[node] = self._numbers.setdefault(key, len(self._numbers))
        return known

    def _key(self, node: Node, depth: int) -> Hashable:
        """All that a type is, with what stands for the types it refers to."""
        found = self._type(node)
        references = self._modules[node[0]].records[node[1]].references
        inner = tuple(self._reference((node[0], one), depth) for one in references)
        # Sections are each module's own; of all others only what they say counts.
        owner = node[0] if isinstance(found, t.Datasec) else None
        return owner, _bare(found), inner

    def _reference(self, node: Node, depth: int) -> Hashable:
        """What stands for a type inside of another one."""
        found, in_base = self._type(node), node[1] < len(self._base)
        if isinstance(found, t.Struct) and found.name:
            several = in_base and len(self._definitions(found.kind, found.name)) > 1
            variant = -node[1] if several else self._variants.get(node, _ONLY)
            return found.kind, found.name, variant
        if isinstance(found, t.Fwd):
            kind = _kind(found)
            alone = len(self._definitions(kind, found.name)) <= 1
            return kind, found.name, _ONLY if alone else "declared"
        return -node[1] if in_base else self._class(node, depth + 1)


def _kind(found: t.Fwd) -> Kind:
    return Kind.UNION if found.is_union else Kind.STRUCT


def _bare(found: t.Type) -> t.Type:
    """A type without ids."""
    bare = remapped(found, lambda _: 0)
    values = {name: getattr(bare, name) for name in type(bare).__match_args__}
    return type(bare)(**(values | {"id": 0}))
