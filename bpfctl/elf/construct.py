"""Import the decoder in pyelftools without its debugging aids.

They import pdb, inspect and pprint, which takes longer than all the rest of it and which nobody
uses here. Whoever wants them afterwards gets them.
"""

from __future__ import annotations

import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

_DECODER: Final = "elftools.construct"


def import_construct() -> None:
    """Import the decoder, unless somebody has done so already."""
    if _DECODER in sys.modules:
        return
    names = f"{_DECODER}.debug", "pprint"
    absent = [name for name in names if name not in sys.modules]
    for name in absent:
        stand_in = sys.modules[name] = ModuleType(name)
        vars(stand_in).update(Probe=None, Debugger=None, pformat=_pformat)
    try:
        __import__(_DECODER)
    finally:
        for name in absent:
            del sys.modules[name]


def _pformat(*values: Any, **how: Any) -> str:
    """Print as pprint does, which is imported when it is wanted."""
    from pprint import pformat

    return pformat(*values, **how)
