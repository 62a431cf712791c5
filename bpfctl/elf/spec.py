"""The blueprint of an object file: plain data, no kernel, nothing that runs.

A spec can be built by hand, compared and printed. Reading the same bytes gives the same spec on
every machine. `bpfctl.loader` turns it into loaded objects.
"""

from __future__ import annotations

from bpfctl.plain import plain
from bpfctl.plain_enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf
    from bpfctl.btf.ext import CoreRelo, FuncInfo, LineInfo
    from bpfctl.elf.sections import SectionName
    from bpfctl.kernel.uapi import MapType


class RelocKind(Enum):
    """What an instruction of the object file refers to."""

    MAP = "map"  # ld_imm64: the descriptor of a map
    DATA = "data"  # ld_imm64: an address inside a data section
    CALL = "call"  # call: a subprogram
    FUNC_ADDRESS = "func"  # ld_imm64: the address of a subprogram (callbacks)
    JUMP_TABLE = "jump table"  # ld_imm64: a table of places in the function itself
    EXTERN = "extern"  # ld_imm64 or call: something outside of the object


@plain
class Reloc:
    """One reference from an instruction.

    `insn_index` counts 8-byte slots from the start of the function that holds the instruction.
    `target` is the map's name for MAP, the section's name for DATA, the function's key in
    `ObjectSpec.functions` for CALL and FUNC_ADDRESS, the extern's name for EXTERN.
    `offset` is the byte offset into the target section for DATA, into `ObjectSpec.jump_tables` for
    JUMP_TABLE, whose `size` is the table's in bytes; else 0.
    """

    insn_index: int
    kind: RelocKind
    target: str
    offset: int = 0
    size: int = 0


@plain
class FunctionSpec:
    """One function of the object: a program's entry or a subprogram.

    `key` is unique in the object ("section:name", for static functions may repeat a name).
    `code` is the instructions as in the file, before any relocation, a multiple of 8 bytes.
    The info records have byte offsets counted from the start of this function.
    `exception_callback` is the key of the function that handles what the program throws.
    """

    key: str
    name: str
    section: str
    section_offset: int
    code: bytes
    relocs: tuple[Reloc, ...] = ()
    func_info: tuple[FuncInfo, ...] = ()
    line_info: tuple[LineInfo, ...] = ()
    core_relos: tuple[CoreRelo, ...] = ()
    is_global: bool = True
    is_hidden: bool = False
    is_weak: bool = False
    exception_callback: str | None = None


@plain
class ProgramSpec:
    """An entry point: a function and what its section name says about it."""

    name: str
    section: SectionName
    function: str  # key in ObjectSpec.functions


@plain
class StructOpsSpec:
    """An implementation of a struct of functions of the kernel.

    `type_id` is the struct as the object declares it, `data` its bytes, in which pointers to
    functions count for nothing: `programs` has the member and the program of each. `optional`: not
    made unless somebody asks for it.
    """

    type_id: int
    data: bytes
    programs: tuple[tuple[str, str], ...]
    optional: bool = False


@plain
class MapSpec:
    """A map to create. Sizes in bytes; type ids are those of the object's BTF, 0 for none.

    `pin_by_name` is LIBBPF_PIN_BY_NAME of the definition, `pin_path` the path below the bpffs that
    a definition of tc asks for. For the maps behind data sections `section` names the section,
    `contents` is the initial value of key 0 and `read_only` says that the map is frozen before
    programs load; an arena has `section` and `contents` of its variables. `inner` is the blueprint
    of inner maps. `values` lists initial contents by index and symbol name (program arrays and
    maps of maps). `struct_ops` is there for maps of that type: `value_size` is then that of the
    object's struct, and the kernel's is another. `ifindex` is the network device the map is in.
    """

    name: str
    type: MapType | int
    key_size: int
    value_size: int
    max_entries: int
    flags: int = 0
    key_type_id: int = 0
    value_type_id: int = 0
    numa_node: int | None = None
    map_extra: int = 0
    pin_by_name: bool = False
    pin_path: str | None = None
    section: str | None = None
    contents: bytes | None = None
    read_only: bool = False
    inner: MapSpec | None = None
    values: tuple[tuple[int, str], ...] = ()
    struct_ops: StructOpsSpec | None = None
    ifindex: int = 0


@plain
class ExternSpec:
    """A symbol the object expects from outside.

    `kind` is "kconfig", "ksym", "kfunc", or "unknown" for one without a type. `type_id` is that of
    the variable (0, void, for a symbol whose type nobody knows), or of the function itself.
    `offset` is where a kconfig value lies in the map of the section ".kconfig", in bytes.
    """

    name: str
    kind: str
    is_weak: bool = False
    type_id: int = 0
    offset: int = 0


@plain
class ObjectSpec:
    """Everything an object file holds that matters to the kernel.

    `jump_tables` is the contents of the section ".jumptables": 64-bit places in the section of the
    function that refers to a table, in bytes.
    """

    path: str
    license: str
    kernel_version: int
    programs: tuple[ProgramSpec, ...]
    functions: dict[str, FunctionSpec]
    maps: tuple[MapSpec, ...]
    externs: tuple[ExternSpec, ...] = ()
    btf: Btf | None = None
    jump_tables: bytes = b""
    warnings: tuple[str, ...] = ()
