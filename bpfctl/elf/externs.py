"""What an object expects from outside: symbols it declares and does not define."""

from __future__ import annotations

from bpfctl.btf.types import Array, Enum, Func, Int, Kind, Type, Var
from bpfctl.elf.elf_file import SHN_UNDEF, STB_LOCAL, STB_WEAK
from bpfctl.elf.spec import ExternSpec
from bpfctl.errors import BtfError, ObjectFileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.elf_file import ElfFile

KCONFIG: Final = ".kconfig"
KSYMS: Final = ".ksyms"
MAX_KCONFIG_BYTES: Final = 1 << 20  # of all values; those of a whole configuration are far less
MAX_DEPTH: Final = 8  # arrays of arrays


def find_externs(elf: ElfFile, btf: Btf | None) -> tuple[ExternSpec, ...]:
    """The symbols the object does not define, in libbpf's order.

    Values of the configuration come first, those of the largest alignment at the beginning of
    their map, then the smaller before the larger; names decide the rest. `btf` is the object's as
    the compiler wrote it.
    Raises: ObjectFileError for values of the configuration without a size, or of too many bytes.
    """
    known = _typed_externs(btf) if btf else {}
    found = []
    for symbol in elf.symbols[1:]:
        if symbol.section == SHN_UNDEF and symbol.bind != STB_LOCAL and symbol.name:
            kind, type_id = known.get(symbol.name, ("unknown", 0))
            found.append(ExternSpec(symbol.name, kind, symbol.bind == STB_WEAK, type_id))
    values = [one for one in found if one.kind == "kconfig"]
    others = sorted((one for one in found if one.kind != "kconfig"), key=lambda one: one.name)
    return (*(_placed(btf, values, elf.path) if btf else values), *others)


def _typed_externs(btf: Btf) -> dict[str, tuple[str, int]]:
    """Kind and type id of each extern with a type, by its name."""
    from bpfctl.elf.datasec import datasecs

    found: dict[str, tuple[str, int]] = {}
    for datasec in datasecs(btf):
        if datasec.name not in (KCONFIG, KSYMS):
            continue
        for info in datasec.vars:
            one = btf.type(info.type_id)
            if isinstance(one, Func):
                found[one.name] = ("kfunc", one.id)
            elif isinstance(one, Var):
                kind = "kconfig" if datasec.name == KCONFIG else "ksym"
                found[one.name] = (kind, one.type_id)
    return found


# --- where the values of the configuration lie in their map


def _placed(btf: Btf, values: Iterable[ExternSpec], path: str) -> list[ExternSpec]:
    try:
        measured = [(_alignment(btf, v.type_id), btf.size_of(v.type_id), v) for v in values]
    except BtfError as err:
        message = f'section "{KCONFIG}" has a value without a size: {err.message}'
        raise ObjectFileError(message, path=path, section=KCONFIG) from err
    measured.sort(key=lambda one: (-one[0], one[1], one[2].name))
    end, placed = 0, []
    for alignment, size, value in measured:
        start = -(-end // alignment) * alignment
        end = start + size
        placed.append(ExternSpec(value.name, value.kind, value.is_weak, value.type_id, start))
    if end > MAX_KCONFIG_BYTES:
        message = f'section "{KCONFIG}" is {end} bytes large'
        raise ObjectFileError(message, path=path, section=KCONFIG)
    return placed


def _alignment(btf: Btf, type_id: int) -> int:
    """What C aligns such a value to. Only integers, enumerations and arrays of them are filled."""
    found: Type = btf.type(btf.skip_modifiers(type_id))
    for _ in range(MAX_DEPTH):
        if not isinstance(found, Array):
            break
        found = btf.type(btf.skip_modifiers(found.elem_type_id))
    if isinstance(found, (Int, Enum)) and found.size_bytes:
        return found.size_bytes
    if found.kind is Kind.PTR:
        return 8
    raise btf.error(f"{btf.type_name(type_id)} is no value a configuration has", type_id)
