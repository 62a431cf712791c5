"""The state of registers as a verifier log prints it. Pure.

"R0_w=map_value_or_null(id=1,map=m,ks=4,vs=8) R10=fp0 fp-8=0000????": print_verifier_state(),
kernel/bpf/log.c (Linux 7.3), kernel/bpf/verifier.c (5.10).
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# The marks behind a name say what was read and written, which is of use to the verifier alone.
_NAME: Final = re.compile(r"(?:^|\s)(R\d+|fp-\d+)(?:_[rwuP]+)?=")
_REST: Final = re.compile(r"\s+(?:refs=|cb$|async_cb$|frame\d+:).*$")
_STATE: Final = re.compile(r"\s*(?:frame\d+: *)?(?:R\d+|fp-\d+)(?:_[rwuP]+)?=")


def is_state(text: str) -> bool:
    """Whether a line, without what is before it, is a state."""
    return _STATE.match(text) is not None


def parse_state(text: str) -> dict[str, str]:
    """Registers and stack slots by name ("R0", "fp-8"), with the kernel's words for them."""
    found: dict[str, str] = {}
    end = len(text)
    for one in reversed(list(_NAME.finditer(text))):
        found[one[1]] = _REST.sub("", text[one.end() : end]).strip()
        end = one.start()
    return dict(reversed(found.items()))
