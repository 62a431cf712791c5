"""What is known of a kernel module: loaded, built in, or a file that could be loaded."""

from __future__ import annotations

import re
from pathlib import Path

from bpfctl.linux.version import kernel_release
from bpfctl.plain_enum import Enum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_LOADED: Final = "/sys/module"
_FOLDER: Final = "/lib/modules"


class ModuleState(Enum):
    """How a module is there. UNKNOWN: none of the files that could tell can be read."""

    LOADED = "loaded"
    BUILT_IN = "built in"
    LOADABLE = "loadable"
    ABSENT = "absent"
    UNKNOWN = "unknown"


def module_state(name: str, loaded: str = _LOADED, folder: str | None = None) -> ModuleState:
    """Look a module up; "-" and "_" in its name are the same. Raises nothing.

    Source: a module of its own has a state in sysfs, what is built in has none (mod_sysfs_setup,
    kernel/module/sysfs.c); depmod(8) writes the two lists.
    """
    name = name.replace("-", "_")
    if "/" not in name and Path(loaded, name, "initstate").exists():
        return ModuleState.LOADED
    place = Path(folder or f"{_FOLDER}/{kernel_release()}")
    built_in, loadable = _names(place / "modules.builtin"), _names(place / "modules.dep")
    if name in (built_in or ()):
        return ModuleState.BUILT_IN
    if name in (loadable or ()):
        return ModuleState.LOADABLE
    return ModuleState.UNKNOWN if loadable is None else ModuleState.ABSENT


def _names(path: Path) -> set[str] | None:
    """The modules of a list of depmod's, by their names; None where it cannot be read."""
    try:
        text = path.read_text("utf-8", "replace")
    except OSError:
        return None
    found = re.findall(r"^(?:[^:\n]*/)?([^/:\s]+?)\.ko(?:\.\w+)?(?::|$)", text, re.MULTILINE)
    return {name.replace("-", "_") for name in found}
