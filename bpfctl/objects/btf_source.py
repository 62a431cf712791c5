"""Type information from where somebody points to: a file, a program or a map."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from bpfctl.errors import NotFoundError, ObjectFileError, PathError
from bpfctl.objects.btf import KERNEL_FILE, kernel_btf, loaded_btf

if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf
    from bpfctl.objects.map_info import MapInfo
    from bpfctl.objects.prog import ProgInfo

MAX_FILE_BYTES: Final = 1 << 29
_ELF_MAGIC: Final = b"\x7fELF"
_SECTION: Final = ".BTF"


class BtfSource(NamedTuple):
    """Types, and the ids of those that are meant; all when there are none."""

    btf: Btf
    roots: tuple[int, ...] = ()


def btf_of_file(path: str, base: Btf | None = None) -> Btf:
    """The types in a file: BTF itself, or an ELF file with a section of it.

    A module's file of the running kernel is based on the kernel's own types; `base` says it for
    other files. Raises: PathError, ObjectFileError, BtfError, NotSupportedError.
    """
    from bpfctl.btf.decode import Btf

    if path == KERNEL_FILE:
        return kernel_btf()
    if base is None and Path(path).parent == Path(KERNEL_FILE).parent:
        base = kernel_btf()
    return Btf.parse(raw_btf(path), base=base, path=path)


def raw_btf(path: str) -> bytes:
    """The bytes of the types in a file, as they are stored.

    Raises: PathError, ObjectFileError for an ELF file without any.
    """
    try:
        with Path(path).open("rb") as file:
            start = file.read(len(_ELF_MAGIC))
            if start != _ELF_MAGIC:
                data = start + file.read(MAX_FILE_BYTES)
                if len(data) > MAX_FILE_BYTES:
                    raise ObjectFileError(f"is larger than {MAX_FILE_BYTES >> 20} MiB", path=path)
                return data
    except OSError as err:
        words = (err.strerror or str(err)).lower()
        raise PathError(f"cannot read it: {words}", subject=path) from err
    return _section_of(path)


def _section_of(path: str) -> bytes:
    from bpfctl.elf.binary import open_binary

    with open_binary(path) as binary:
        for section in binary.sections:
            if section.name == _SECTION:
                return binary.bytes_of(section)
    raise ObjectFileError(
        f"has no section {_SECTION}",
        path=path,
        code="no-btf",
        remedy="compile with -g; for a kernel, with CONFIG_DEBUG_INFO_BTF=y",
    )


def btf_of_prog(info: ProgInfo) -> Btf:
    """The types a program was loaded with. Raises: NotFoundError when it has none."""
    if not info.btf_id:
        raise NotFoundError(f"program {info.id} was loaded without type information", code="no-btf")
    return loaded_btf(info.btf_id)


def btf_of_map(info: MapInfo, part: str = "kv") -> BtfSource:
    """The types a map was made with; `part` is "key", "value", "kv" (both) or "all".

    A struct_ops map has one value type, of the kernel's. Raises: NotFoundError when it has none.
    """
    if info.btf_vmlinux_value_type_id:
        return BtfSource(kernel_btf(), (info.btf_vmlinux_value_type_id,))
    if not info.btf_id:
        raise NotFoundError(f"map {info.id} was made without type information", code="no-btf")
    ids = {"key": info.btf_key_type_id, "value": info.btf_value_type_id}
    wanted = {"kv": ("key", "value"), "all": ()}.get(part, (part,))
    return BtfSource(loaded_btf(info.btf_id), tuple(ids[one] for one in wanted if ids[one]))
