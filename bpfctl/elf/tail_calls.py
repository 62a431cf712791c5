"""Programs for tc's tail calls: section "1/0" is slot 0 of the program array with id 1.

Source: bpf_fill_prog_arrays(), lib/bpf_legacy.c of iproute2 6.1 (its SEC("ID/KEY"), by "%i/%i").
"""

from __future__ import annotations

import re

from bpfctl.elf.section_table import BY_NAME
from bpfctl.elf.sections import SectionName
from bpfctl.kernel.uapi import MapType
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from bpfctl.elf.functions import Function
    from bpfctl.elf.legacy_maps import LegacyMap

_NUMBER: Final = r"(0[xX][0-9a-fA-F]{1,8}|[0-9]{1,10})"
_SLOT: Final = re.compile(f"{_NUMBER}/{_NUMBER}")


def with_tail_calls(
    maps: Iterable[LegacyMap], functions: Iterable[Function]
) -> tuple[list[LegacyMap], dict[str, SectionName]]:
    """Store the programs in the arrays; what is left are sections that mean nothing.

    The second part tells what the programs of those sections are: classifiers, as those that call
    them must be too.
    """
    found = list(maps)
    arrays = {
        one.tc_id: at
        for at, one in enumerate(found)
        if one.tc_id and one.spec.type == MapType.PROG_ARRAY
    }
    sections: dict[str, SectionName] = {}
    for function in functions:
        slot = _SLOT.fullmatch(function.section.name)
        at = arrays.get(_number(slot[1])) if slot else None
        if slot is None or at is None:
            continue
        spec = found[at].spec
        value = (_number(slot[2]), function.symbol.name)
        values = tuple(sorted((*spec.values, value)))
        found[at] = found[at]._replace(spec=replace(spec, values=values))
        text = function.section.name
        sections[text] = SectionName(BY_NAME["tc"]._replace(modern=()), text)
    return found, sections


def _number(text: str) -> int:
    return int(text, 16 if text[:2].lower() == "0x" else 10)
