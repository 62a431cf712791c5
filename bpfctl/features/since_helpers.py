"""The first kernel of each helper function.

Their numbers were given out in the order in which they came: a table of the first number of each
version says it all. Source: the commits that added them to enum bpf_func_id,
include/uapi/linux/bpf.h; since Linux 6.2 new functions are kfuncs.
"""

from __future__ import annotations

from functools import cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

# The last helper of each version, by number.
_LAST: Final = (
    ("3.19", 3),
    ("4.1", 11),
    ("4.2", 16),
    ("4.3", 22),
    ("4.4", 25),
    ("4.5", 26),
    ("4.6", 30),
    ("4.8", 36),
    ("4.9", 41),
    ("4.10", 44),
    ("4.11", 45),
    ("4.12", 47),
    ("4.13", 50),
    ("4.14", 53),
    ("4.15", 57),
    ("4.16", 59),
    ("4.17", 64),
    ("4.18", 80),
    ("4.19", 83),
    ("4.20", 90),
    ("5.0", 92),
    ("5.1", 98),
    ("5.2", 108),
    ("5.3", 109),
    ("5.4", 110),
    ("5.5", 115),
    ("5.6", 118),
    ("5.7", 124),
    ("5.8", 135),
    ("5.9", 141),
    ("5.10", 155),
    ("5.11", 162),
    ("5.12", 163),
    ("5.13", 165),
    ("5.14", 168),
    ("5.15", 175),
    ("5.16", 179),
    ("5.17", 185),
    ("5.18", 193),
    ("5.19", 203),
    ("6.0", 207),
    ("6.1", 209),
    ("6.2", 211),
)


@cache
def helper_since() -> dict[int, str]:
    """The first version of each helper, by number."""
    found: dict[int, str] = {}
    for version, last in _LAST:
        for number in range(len(found) + 1, last + 1):
            found[number] = version
    return found
