"""Names without their flavours."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.core_names import describe, essential_name, same_essential_name


@pytest.mark.parametrize(
    ("name", "essential"),
    [
        ("task_struct", "task_struct"),
        ("task_struct___old", "task_struct"),
        ("a___b___c", "a___b"),
        ("a____b", "a____b"),
        ("a___", "a___"),
        ("___a", "___a"),
        ("a_____b", "a_____b"),
        ("a____b___c", "a____b"),
        ("a___b____c", "a"),
        ("a__b", "a__b"),
        ("", ""),
        ("x___1", "x"),
    ],
)
def test_essential_name(name: str, essential: str) -> None:
    assert essential_name(name) == essential


def test_flavours_do_not_count() -> None:
    assert same_essential_name("a", "a")
    assert same_essential_name("a___x", "a")
    assert same_essential_name("a", "a___y")
    assert same_essential_name("a___x", "a___y")
    assert not same_essential_name("a", "ab")
    assert not same_essential_name("a___x", "b___x")
    assert not same_essential_name("a___b___c", "a___b")  # the latter is a flavour of "a"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        pytest.param(t.Struct(1, "file", 8, ()), "struct file", id="struct"),
        pytest.param(t.Struct(1, "", 8, (), is_union=True), "union (anon)", id="union"),
        pytest.param(t.Enum(1, "e", 8, False, (), is64=True), "enum e", id="enum64"),
        pytest.param(t.Fwd(1, "u", is_union=True), "union u", id="fwd-union"),
        pytest.param(t.Fwd(1, "s"), "struct s", id="fwd-struct"),
        pytest.param(t.Typedef(1, "pid_t", 2), "typedef pid_t", id="typedef"),
        pytest.param(t.Int(1, "int", 4, 1, 0, 32), "type int", id="int"),
        pytest.param(t.Ptr(1, "", 4), "ptr (anon)", id="ptr"),
    ],
)
def test_types_in_words(found: t.Type, words: str) -> None:
    assert describe(found) == words
