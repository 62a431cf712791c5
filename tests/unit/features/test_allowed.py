"""What the table of refused helpers says of kernels of any age."""

from __future__ import annotations

import pytest

from bpfctl.elf.section_table import BY_NAME
from bpfctl.features.age import Age
from bpfctl.features.allowed import NOTHING_KNOWN, Verdict, _table, may_call
from bpfctl.kernel.uapi_helpers import HelperId as H
from bpfctl.linux.version import parse_release

NEWEST = "7.3"
NO = "programs of {} may not call it"


@pytest.mark.parametrize(
    ("section", "helper", "age", "verdict"),
    [
        pytest.param("xdp", H.skb_load_bytes, Age("6.1", "6.2"), Verdict(False, NO), id="never"),
        pytest.param("xdp", H.skb_load_bytes, Age("6.6", "6.7"), Verdict(False, NO), id="between"),
        pytest.param("xdp", H.skb_load_bytes, Age("", "5.5"), Verdict(False, NO), id="before"),
        pytest.param(
            "xdp",
            H.skb_load_bytes,
            Age(NEWEST),
            Verdict(None, f"{NO} on Linux {NEWEST}"),
            id="the newest or newer",
        ),
        pytest.param("xdp", H.skb_load_bytes, Age(NEWEST, "7.4"), Verdict(False, NO), id="newest"),
        pytest.param("xdp", H.redirect_map, Age("6.1", "6.2"), NOTHING_KNOWN, id="allowed"),
        pytest.param("xdp", H.skb_load_bytes, Age(), NOTHING_KNOWN, id="of no known age"),
        pytest.param(
            "raw_tp", H.get_attach_cookie, Age("6.1", "6.2"), Verdict(False, NO), id="not yet"
        ),
        pytest.param(
            "raw_tp",
            H.get_attach_cookie,
            Age("6.6", "6.7"),
            Verdict(None, f"{NO} on Linux 6.1, but may on 6.12"),
            id="between no and yes",
        ),
        pytest.param("raw_tp", H.get_attach_cookie, Age("6.12", "6.13"), NOTHING_KNOWN, id="now"),
        pytest.param("raw_tp", H.get_attach_cookie, Age("6.14", "6.15"), NOTHING_KNOWN, id="since"),
        pytest.param(
            "lwt_seg6local",
            H.skb_pull_data,
            Age("6.18", "6.19"),
            Verdict(None, f"{NO} any more on Linux 7.3, but may on 6.12"),
            id="no longer",
        ),
        pytest.param("kprobe", H.override_return, Age("6.1", "6.2"), NOTHING_KNOWN, id="an option"),
        pytest.param("iter", H.setsockopt, Age("6.1", "6.2"), NOTHING_KNOWN, id="by target"),
        pytest.param("freplace", H.bind, Age("6.1", "6.2"), NOTHING_KNOWN, id="not asked about"),
        pytest.param("netfilter", H.bind, Age("6.6", "6.7"), Verdict(False, NO), id="late"),
    ],
)  # fmt: skip
def test_may_call(section: str, helper: H, age: Age, verdict: Verdict) -> None:
    expected = verdict._replace(why=verdict.why.format(section))
    assert may_call(section, int(helper), age) == expected


def test_the_table() -> None:
    """Sections are ours, kernels ascend, and nobody is refused a lookup in a map."""
    table = _table()
    assert set(table) <= set(BY_NAME)
    for kernels in table.values():
        assert list(kernels) == sorted(kernels, key=parse_release)
        assert not any(H.map_lookup_elem in refused for refused in kernels.values())
