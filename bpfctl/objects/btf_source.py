"""Type information from where somebody points to: a file, a program or a map."""

from __future__ import annotations

from bpfctl.errors import NotFoundError, ObjectFileError, PathError, UsageError
from bpfctl.objects.btf import KERNEL_FILE, KERNEL_FOLDER, kernel_btf, loaded_btf
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.objects.map_info import MapInfo
    from bpfctl.objects.prog import ProgInfo

MAX_FILE_BYTES: Final = 1 << 29
_ELF_MAGIC: Final = b"\x7fELF"
# How distributions compress modules (CONFIG_MODULE_COMPRESS), and what unpacks them.
_PACKED: Final = {b"\x1f\x8b": "gunzip", b"\xfd7zX": "unxz", b"\x28\xb5\x2f\xfd": "unzstd"}
_SECTION: Final = ".BTF"
_BASE_SECTION: Final = ".BTF.base"


class BtfSource(NamedTuple):
    """Types, and the ids of those that are meant; all when there are none."""

    btf: Btf
    roots: tuple[int, ...] = ()


class StoredBtf(NamedTuple):
    """The bytes of types, and of the small base that a module may carry for them."""

    types: bytes
    base: bytes | None = None


def btf_of_file(path: str, base: Btf | None = None) -> Btf:
    """The types in a file: BTF itself, or an ELF file with a section of it.

    A module's file of the running kernel is based on the kernel's own types; `base` says it for
    other files. A module that carries a small base of its own (Linux 6.11) is based on that, or
    put on `base`. Raises: PathError, ObjectFileError, NotSupportedError; BtfError, for a base that
    cannot be theirs too.
    """
    if path == KERNEL_FILE:
        return kernel_btf()
    from pathlib import Path  # the kernel's own types are read without

    from bpfctl.btf.decode import Btf

    stored = stored_btf(path)
    if stored.base is not None:
        small = Btf.parse(stored.base, path=path)
        found = Btf.parse(stored.types, base=small, path=path)
        return _relocated(found, base) if base else found
    if base is None and Path(path).parent == Path(KERNEL_FILE).parent:
        return Btf.parse(stored.types, base=kernel_btf(), path=path)
    found = Btf.parse(stored.types, base=base, path=path)
    if base is not None:
        from bpfctl.btf.relocate import check_base

        check_base(found)
    return found


def _relocated(split: Btf, base: Btf) -> Btf:
    from bpfctl.btf.relocate import relocated

    return relocated(split, base)


def has_own_base(btf: Btf) -> bool:
    """Whether the types are based on the small base that the file itself has for them."""
    return btf.base is not None and bool(btf.path) and btf.base.path == btf.path


def btf_of_files(paths: Sequence[str], base: Btf | None = None) -> Btf:
    """The types in several files, each there once: modules, and what they are based on.

    `base` is given for files that are not the running kernel's own; it may be one of them by its
    `path`. Raises: UsageError for types without a common base, and what `btf_of_file` raises.
    """
    if len(paths) == 1:
        return btf_of_file(paths[0], base)
    split = [one for one in paths if one not in (KERNEL_FILE, base.path if base else None)]
    found = [btf_of_file(one, base) for one in split]
    bases = {one.base for one in found}
    below = bases.pop() if len(bases) == 1 else None
    if below is None:
        raise UsageError(
            "types of several files are merged where all of them are based on the same",
            remedy="name their base with --base-btf",
        )
    from bpfctl.btf.merge import merged

    return merged(below, found)


def kernel_with_modules() -> Btf:
    """The running kernel's types and those of all loaded modules, each there once.

    Raises: NotSupportedError, PathError, BtfError.
    """
    from bpfctl.btf.merge import merged

    base = kernel_btf()
    return merged(base, [btf for _, btf in module_files(base)])


def module_files(base: Btf) -> Iterator[tuple[str, Btf]]:
    """Yield name and types of each module that has some, by name; everybody may read them.

    One that is unloaded meanwhile is left out. Source: /sys/kernel/btf, Linux 5.11.
    """
    from pathlib import Path

    from bpfctl.btf.decode import Btf

    try:
        names = sorted(one.name for one in Path(KERNEL_FOLDER).iterdir())
    except OSError:
        return
    for name in names:
        path = Path(KERNEL_FOLDER) / name
        if str(path) != KERNEL_FILE:
            try:
                data = path.read_bytes()
            except OSError:
                continue
            yield name, Btf.parse(data, base=base, path=str(path))


def raw_btf(path: str) -> bytes:
    """The bytes of the types in a file, as they are stored. Raises: as `stored_btf`."""
    return stored_btf(path).types


def stored_btf(path: str) -> StoredBtf:
    """The bytes of the types in a file, and of what they are based on where it has that.

    Raises: PathError, ObjectFileError for an ELF file without any.
    """
    from pathlib import Path

    try:
        with Path(path).open("rb") as file:
            start = file.read(len(_ELF_MAGIC))
            for magic, tool in _PACKED.items():
                if start.startswith(magic):
                    remedy = f"unpack it first: {tool} < {path} > FILE"
                    raise ObjectFileError("is compressed", path=path, remedy=remedy)
            if start != _ELF_MAGIC:
                data = start + file.read(MAX_FILE_BYTES)
                if len(data) > MAX_FILE_BYTES:
                    raise ObjectFileError(f"is larger than {MAX_FILE_BYTES >> 20} MiB", path=path)
                return StoredBtf(data)
    except OSError as err:
        words = (err.strerror or str(err)).lower()
        raise PathError(f"cannot read it: {words}", subject=path) from err
    return _sections_of(path)


def _sections_of(path: str) -> StoredBtf:
    from bpfctl.elf.binary import open_binary

    with open_binary(path) as binary:
        found = {
            one.name: binary.bytes_of(one)
            for one in reversed(binary.sections)
            if one.name in (_SECTION, _BASE_SECTION)
        }
    if _SECTION in found:
        return StoredBtf(found[_SECTION], found.get(_BASE_SECTION))
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
