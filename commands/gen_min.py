"""The types that objects need of a kernel, from files."""

from __future__ import annotations

from bpfctl.btf.core import CoreTarget
from bpfctl.btf.core_fixup import CoreKind
from bpfctl.btf.core_needs import Needs
from bpfctl.elf.core_relos import core_relos
from bpfctl.errors import BpfctlError
from bpfctl.objects.btf_source import btf_of_file

from .clean import clean
from .output import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def min_btf(source: str, objects: Sequence[str]) -> bytes:
    """The smaller types as a blob. Raises: PathError, ObjectFileError."""
    needs = Needs(CoreTarget(btf_of_file(source)))
    for path in objects:
        try:
            _add(needs, path)
        except BpfctlError as err:
            err.within(subject=path)
            raise
    return needs.build()


def _add(needs: Needs, path: str) -> None:
    found = core_relos(path)
    if found is None or not found[1]:
        say(f"warning: {clean(path)} has no CO-RE relocations")
        return
    btf, relos = found
    for relo in relos:
        needs.add(btf, relo)
    if any(relo.kind == CoreKind.TYPE_ID_TARGET for relo in relos):
        say(f"warning: {clean(path)} asks for ids of types, which are others in the smaller file")
