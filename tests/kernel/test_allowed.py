"""The table of helpers that sections may not call, against the running kernel's answers."""

from __future__ import annotations

import pytest

from bpfctl.elf.section_table import BY_NAME
from bpfctl.features.age import Age
from bpfctl.features.allowed import may_call
from bpfctl.features.prober import Prober
from bpfctl.linux.version import kernel_version
from tests.tools.helper_answers import answers_of

# Those that differ most between kernels, and some that are used most.
SECTIONS = (
    "raw_tp",
    "tp_btf",
    "iter",
    "xdp",
    "tcx/ingress",
    "cgroup/connect4",
    "sockops",
    "kprobe",
)


@pytest.mark.parametrize("section", SECTIONS)
def test_what_the_kernel_takes_is_not_refused(section: str) -> None:
    """Nor is it doubted, on a kernel that was asked."""
    age = Age().of_version(kernel_version())
    with Prober() as prober:
        answers = answers_of(prober, BY_NAME[section])
    told = {one: may_call(section, one, age).may for one in answers["yes"]}
    assert [one for one, may in told.items() if may is False] == []
    assert any(may_call(section, one, age).may is False for one in answers["no"])
