"""The CO-RE relocations of an object file, whatever its sections are called."""

from __future__ import annotations

from bpfctl.btf.decode import Btf
from bpfctl.btf.ext import BtfExt
from bpfctl.elf.reader import read_elf_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.ext import CoreRelo


def core_relos(path: str) -> tuple[Btf, list[CoreRelo]] | None:
    """The types of an object and all its relocations; None for one without types.

    Raises: PathError, ObjectFileError.
    """
    elf = read_elf_file(path)
    types, extended = elf.section(".BTF"), elf.section(".BTF.ext")
    if types is None:
        return None
    btf = Btf.parse(bytes(types.data), path=path)
    if extended is None:
        return btf, []
    ext = BtfExt.parse(bytes(extended.data), btf, path)
    return btf, [one for some in ext.core_relos.values() for one in some]
