"""What the running kernel is said to do: against its version, and as nobody.

Against bpftool: test_feature_oracle.py.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.features.probe import probe_kernel
from tests.kernel.needs import contradiction

if TYPE_CHECKING:
    from bpfctl.features.report import FeatureReport

NOBODY = 65534


@pytest.fixture(scope="module")
def report() -> FeatureReport:
    """Probe this kernel once."""
    return probe_kernel(helpers=True)


@pytest.fixture(scope="module")
def ours(report: FeatureReport) -> dict[str, Any]:
    return report.to_json()


def test_helpers_that_anybody_knows(report: FeatureReport) -> None:
    """Each type is asked in its own right: no list is everything, and none is another's."""
    names = {kind.name: set(found.names) for kind, found in (report.helpers or {}).items()}
    assert "bpf_redirect_map" in names["XDP"]
    assert "bpf_skb_store_bytes" in names["SCHED_CLS"] - names["XDP"]
    assert "bpf_get_current_comm" in names["KPROBE"]
    assert "bpf_xdp_adjust_head" in names["XDP"] - names["SCHED_CLS"] - names["KPROBE"]
    assert "bpf_bind" in names["CGROUP_SOCK_ADDR"]


# --- the running kernel's version ----------------------------------------------------------------


def test_no_answer_contradicts_the_version(report: FeatureReport) -> None:
    """This includes that with all capabilities nothing but a refusal keeps an answer from us."""
    assert {
        f"{group} {name}": contradiction(verdict, verdict.since)
        for group, name, verdict in report.verdicts()
        if contradiction(verdict, verdict.since)
    } == {}


def test_everything_has_a_since(report: FeatureReport) -> None:
    assert [name for _, name, verdict in report.verdicts() if not verdict.since] == []


# --- without capabilities ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def nobodys() -> dict[str, Any]:
    """Probe this kernel as a user who may nothing, in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _answer_as_nobody(writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    fields: dict[str, Any] = json.loads(text)
    return fields


def _answer_as_nobody(writing: int) -> None:
    try:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        text = json.dumps(probe_kernel(helpers=True).to_json())
        with os.fdopen(writing, "w") as pipe:
            pipe.write(text)
    finally:
        os._exit(0)


def no(verdicts: dict[str, Any]) -> set[str]:
    return {
        f"{group} {name}"
        for group, found in verdicts.items()
        for name, verdict in found.items()
        if verdict["answer"] == "not-available"
    }


def test_nobody_is_told_no_falsely(ours: dict[str, Any], nobodys: dict[str, Any]) -> None:
    """Some answers come before the question who asks; but never a no where root has a yes."""
    assert no(nobodys["verdicts"]) - no(ours["verdicts"]) == set()
    answers = {v["answer"] for v in nobodys["verdicts"]["programs"].values()}
    assert "not-available" not in answers
    assert False not in nobodys["program_types"].values()


def test_nobody_is_told_no_helper_is_missing(nobodys: dict[str, Any]) -> None:
    """What is hidden from nobody is null, or among what cannot be told."""
    for key, names in nobodys["helpers"].items():
        told = nobodys["verdicts"]["helpers"][key.removesuffix("_available_helpers")]
        assert names is None or len(names) + len(told.get("cannot_tell", [])) > 200


def test_nobody_can_still_read(nobodys: dict[str, Any], ours: dict[str, Any]) -> None:
    for key in ("release", "machine"):
        assert nobodys["kernel"][key] == ours["kernel"][key]
    assert nobodys["misc"]["have_kernel_btf"] == ours["misc"]["have_kernel_btf"]
