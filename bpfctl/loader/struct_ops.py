"""Fit an object's struct_ops to the running kernel's struct of the same name. Pure.

The kernel wants its own struct, wrapped in one called bpf_struct_ops_NAME. Members are matched by
their names; what the kernel does not have must be zero, or a program, which then is not loaded.
Source: the behaviour of libbpf 1.5; kernel/bpf/bpf_struct_ops.c, Linux 6.9.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.core_names import essential_name
from bpfctl.errors import NotFoundError, NotSupportedError, ObjectFileError
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import MapSpec, ObjectSpec, ProgramSpec
    from bpfctl.loader.kernel_btf import KernelBtf, ModuleBtf
    from bpfctl.loader.options import LoadOptions

_VALUE: Final = "bpf_struct_ops_"


class Slot(NamedTuple):
    """A member that a program implements: where its descriptor goes, and its index."""

    program: str
    offset_bytes: int
    member: int


class KernelOps(NamedTuple):
    """A struct_ops map as this kernel wants it.

    `type_id` is the kernel's struct, `value_type_id` the one around it, in `module`'s types or in
    vmlinux (None). `data` is a whole value without programs, `slots` says where those go, `lacking`
    are programs whose members the kernel does not have.
    """

    name: str
    type_id: int
    value_type_id: int
    module: ModuleBtf | None
    data: bytes
    slots: tuple[Slot, ...]
    lacking: tuple[str, ...]


def kernel_ops(spec: ObjectSpec, kernel: KernelBtf) -> dict[str, KernelOps]:
    """Fit all maps of the object that are made, by their names.

    Raises: NotSupportedError for a struct that this kernel does not have, ObjectFileError for
    members that cannot be what the object says.
    """
    return {
        one.name: _fit(spec, one, kernel)
        for one in spec.maps
        if one.struct_ops and not one.struct_ops.optional
    }


def _fit(spec: ObjectSpec, one: MapSpec, kernel: KernelBtf) -> KernelOps:
    assert spec.btf is not None
    assert one.struct_ops is not None
    ours = spec.btf.type(one.struct_ops.type_id)
    assert isinstance(ours, t.Struct)
    name = essential_name(ours.name)
    module, btf, theirs, value = _kernel_struct(name, one, kernel)
    start = next((m.offset_bits // 8 for m in value.members if m.type_id == theirs.id), None)
    if start is None:
        raise NotSupportedError(f"struct_ops {name}", evidence=[f"{value.name} has no {name}"])
    filling = _Filling(spec, one, ours, btf, theirs, start, bytearray(value.size_bytes))
    filling.run()
    return KernelOps(
        name,
        theirs.id,
        value.id,
        module,
        bytes(filling.data),
        tuple(filling.slots),
        tuple(filling.lacking),
    )


def _kernel_struct(
    name: str, one: MapSpec, kernel: KernelBtf
) -> tuple[ModuleBtf | None, Btf, t.Struct, t.Struct]:
    """The kernel's struct and the one around it, in vmlinux or the first module that has both."""
    places: list[tuple[ModuleBtf | None, Btf]] = [(None, kernel.btf)]
    if kernel.btf.find(_VALUE + name, t.Kind.STRUCT) is None:
        places += [(module, module.btf) for module in kernel.modules]
    for module, btf in places:
        struct_id, value_id = (btf.find(prefix + name, t.Kind.STRUCT) for prefix in ("", _VALUE))
        if struct_id is None or value_id is None:
            continue
        struct, value = btf.type(struct_id), btf.type(value_id)
        if isinstance(struct, t.Struct) and isinstance(value, t.Struct):
            return module, btf, struct, value
    evidence = [f"neither vmlinux nor a loaded module has the type {_VALUE}{name}"]
    raise NotSupportedError(f"struct_ops {name} (map {one.name})", evidence=evidence)


class _Filling:
    """The kernel's value while the members of the object's struct are put into it."""

    def __init__(
        self,
        spec: ObjectSpec,
        one: MapSpec,
        ours: t.Struct,
        btf: Btf,
        theirs: t.Struct,
        start: int,
        data: bytearray,
    ) -> None:
        assert spec.btf is not None
        assert one.struct_ops is not None
        self.local, self.ours, self.ops = spec.btf, ours, one.struct_ops
        self.btf, self.theirs, self.start, self.data = btf, theirs, start, data
        self.map, self.path = one.name, spec.path
        self.programs = dict(one.struct_ops.programs)
        self.slots: list[Slot] = []
        self.lacking: list[str] = []

    def run(self) -> None:
        places = {m.name: (index, m) for index, m in enumerate(self.theirs.members) if m.name}
        for member in self.ours.members:
            found = places.get(member.name)
            if found is None:
                self._absent(member)
            else:
                self._put(member, *found)

    def _absent(self, member: t.Member) -> None:
        """A member that the kernel does not have may be left out if it says nothing."""
        program = self.programs.get(member.name)
        if program:
            self.lacking.append(program)
        elif self._is_set(member):
            raise self._error(member, f"is set, and struct {self.theirs.name} here has none")

    def _put(self, member: t.Member, index: int, theirs: t.Member) -> None:
        place = self.start + theirs.offset_bits // 8
        program = self.programs.get(member.name)
        if program:
            if not _is_function(self.btf, theirs.type_id):
                raise self._error(member, f"is {program}, and no function of this kernel's struct")
            self.slots.append(Slot(program, place, index))
            return
        if not self._is_set(member):
            return
        if member.bitfield_bits or theirs.bitfield_bits:
            raise self._error(member, "is a bit-field, which cannot be set")
        ours_type, theirs_type = (
            btf.type(btf.skip_modifiers(one.type_id))
            for btf, one in ((self.local, member), (self.btf, theirs))
        )
        if ours_type.kind != theirs_type.kind or isinstance(ours_type, t.Ptr):
            raise self._error(member, self._other_type(member, theirs))
        size = self.local.size_of(member.type_id)
        if size != self.btf.size_of(theirs.type_id):
            raise self._error(member, self._other_type(member, theirs))
        self.data[place : place + size] = self._bytes(member)

    def _bytes(self, member: t.Member) -> bytes:
        start = member.offset_bits // 8
        end = -(-(member.offset_bits + member.bitfield_bits) // 8)
        if not member.bitfield_bits:
            end = start + self.local.size_of(member.type_id)
        return self.ops.data[start:end]

    def _is_set(self, member: t.Member) -> bool:
        return any(self._bytes(member))

    def _other_type(self, member: t.Member, theirs: t.Member) -> str:
        here, there = self.btf.type_name(theirs.type_id), self.local.type_name(member.type_id)
        return f"is {there}, and {here} in this kernel"

    def _error(self, member: t.Member, words: str) -> ObjectFileError:
        message = f"struct_ops {self.map}: member {member.name} {words}"
        return ObjectFileError(message, path=self.path, code="struct-ops-member")


def _is_function(btf: Btf, type_id: int) -> bool:
    pointer = btf.type(btf.skip_modifiers(type_id))
    if not isinstance(pointer, t.Ptr):
        return False
    return isinstance(btf.type(btf.skip_modifiers(pointer.type_id)), t.FuncProto)


# --- which programs there are to load


class Use(NamedTuple):
    """What a program implements: a member of a kernel's struct."""

    type_id: int
    member: int
    module: ModuleBtf | None


def uses(spec: ObjectSpec, ops: dict[str, KernelOps]) -> dict[str, Use]:
    """What each struct_ops program implements.

    Raises: ObjectFileError for a program that is to be two different members.
    """
    found: dict[str, Use] = {}
    for one in ops.values():
        for slot in one.slots:
            use = Use(one.type_id, slot.member, one.module)
            if found.setdefault(slot.program, use) != use:
                message = f"program {slot.program} is used for two different members of struct_ops"
                raise ObjectFileError(message, path=spec.path, code="struct-ops-member")
    return found


def idle_programs(spec: ObjectSpec, ops: dict[str, KernelOps]) -> dict[str, str]:
    """Programs that are part of struct_ops and would not be used now, and why.

    Their maps are not made, or the kernel's struct does not have their members.
    """
    reasons: dict[str, str] = {}
    for one in spec.maps:
        if one.struct_ops and one.struct_ops.optional:
            for _, program in one.struct_ops.programs:
                reasons[program] = f"struct_ops {one.name} is not made by itself"
    for made in ops.values():
        for program in made.lacking:
            reasons[program] = f"struct {made.name} of this kernel has no such member"
    for program in uses(spec, ops):
        reasons.pop(program, None)
    return reasons


def with_members(
    spec: ObjectSpec,
    ops: dict[str, KernelOps],
    programs: Iterable[ProgramSpec],
    options: LoadOptions,
) -> list[ProgramSpec]:
    """Of the chosen programs, those that can load now, and the members of all maps.

    A member loads with its map, "?" in its section's name or not, unless somebody chose programs
    by their names.
    Raises: NotFoundError for a program that was chosen so and is not used, ObjectFileError.
    """
    idle = idle_programs(spec, ops)
    for name in sorted((options.programs or frozenset()) & idle.keys()):
        raise NotFoundError(f"cannot be loaded: {idle[name]}", program=name)
    names = {one.name for one in programs} - idle.keys()
    if options.programs is None:
        names |= uses(spec, ops).keys() - options.skip
    return [one for one in spec.programs if one.name in names]
