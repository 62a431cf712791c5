"""How old a kernel is by what it lists, and when things came."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.features.age import Age, Listed, age_of, listed, marked_kfuncs
from bpfctl.features.since_helpers import helper_since
from bpfctl.kernel.uapi_helpers import HelperId
from tests.builders.btf import DATA, parsed

NOTHING = Listed(None, None, None, None, None)
AGE = Age("6.1", "6.4")


@pytest.mark.parametrize(
    ("helpers", "age"),
    [
        pytest.param(range(156), Age("5.10", "5.11"), id="5.10"),
        pytest.param(range(210), Age("6.1", "6.2"), id="6.1"),
        pytest.param(range(212), Age("6.2"), id="the last one"),
        pytest.param([1, 200], Age("5.19"), id="a mixture"),
    ],
)
def test_age_by_helpers(helpers: range, age: Age) -> None:
    assert age_of(NOTHING._replace(helpers=frozenset(helpers))) == age


@pytest.mark.parametrize(
    ("commands", "age"),
    [
        pytest.param(range(36), Age("", "6.9"), id="older"),
        pytest.param(range(37), Age("6.9", "6.17"), id="between"),
        pytest.param(range(38), Age("6.17"), id="newer"),
    ],
)
def test_age_by_commands(commands: range, age: Age) -> None:
    assert age_of(NOTHING._replace(commands=frozenset(commands))) == age


def test_all_that_we_know() -> None:
    btf = Btf.parse((DATA / "uapi-7.3.btf").read_bytes())
    assert age_of(listed(btf)) == Age("7.2")


def test_types_that_list_nothing() -> None:
    btf = parsed(t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32))
    assert (listed(btf), age_of(listed(btf))) == (NOTHING, Age())


def test_age_by_kfuncs() -> None:
    """One that is marked says "not before"; names nobody knows say nothing."""
    helpers = NOTHING._replace(helpers=frozenset(range(212)), commands=frozenset(range(37)))
    assert age_of(helpers, ["bpf_copy_from_user_str", "mine"]) == Age("6.12", "6.17")


def test_marked_kfuncs() -> None:
    btf = parsed(
        t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
        t.FuncProto(2, "", 1, ()),
        t.Func(3, "bpf_thing", 2, t.FuncLinkage.STATIC),
        t.Func(4, "other", 2, t.FuncLinkage.STATIC),
        t.DeclTag(5, "bpf_kfunc", 3, -1),
        t.DeclTag(6, "bpf_fastcall", 4, -1),
    )
    assert marked_kfuncs(btf) == ["bpf_thing"]


@pytest.mark.parametrize(
    ("age", "version", "expected"),
    [
        pytest.param(Age("6.10", "6.13"), (6, 12, 107), Age("6.12", "6.13"), id="narrowed"),
        pytest.param(Age("7.2"), (7, 3, 4), Age("7.3", "7.4"), id="open"),
        pytest.param(Age(), (5, 4, 0), Age("5.4", "5.5"), id="unknown"),
        pytest.param(Age("6.6", "6.9"), (5, 14, 0), Age("6.6", "6.9"), id="with later features"),
        pytest.param(Age("6.6", "6.9"), (6, 9, 0), Age("6.6", "6.9"), id="contradicted"),
    ],
)
def test_a_kernel_that_says_its_version(
    age: Age, version: tuple[int, int, int], expected: Age
) -> None:
    assert age.of_version(version) == expected


@pytest.mark.parametrize(
    ("since", "has"),
    [("5.10", True), ("6.1", True), ("6.2", None), ("6.3", None), ("6.4", False), ("7.0", False)],
)
def test_what_a_kernel_has(since: str, has: bool | None) -> None:
    assert AGE.has(since) is has
    assert Age().has(since) is None


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (AGE, "at least Linux 6.1, before 6.4"),
        (Age("6.1"), "at least Linux 6.1"),
        (Age("6.9", "6.10"), "Linux 6.9"),
        (Age(), ""),
        (Age("", "6.4"), "before Linux 6.4"),
    ],
)
def test_words(age: Age, words: str) -> None:
    assert str(age) == words


def test_every_helper_has_a_first_version() -> None:
    known = helper_since()
    assert set(known) == {int(one) for one in HelperId if one}
    assert (known[1], known[12], known[155], known[HelperId.loop]) == (
        "3.19",
        "4.2",
        "5.10",
        "5.17",
    )
    assert (known[HelperId.send_signal], known[HelperId.tcp_gen_syncookie]) == ("5.3", "5.4")
