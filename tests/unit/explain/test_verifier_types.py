from __future__ import annotations

import pytest

from bpfctl.explain.verifier_types import (
    expected_words,
    helper_words,
    map_type_name,
    type_words,
    values,
)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("inv", "a number"),
        ("scalar", "a number"),
        ("map_value_or_null", "a pointer into a map value, or NULL"),
        ("trusted_ptr_or_null_task_struct", "a pointer to struct task_struct, or NULL"),
        ("rdonly_mem", "a pointer to memory that may only be read"),
        ("alloc_mem_or_null", "a record of a ring buffer, or NULL"),
        ("ptr_", "a pointer to a kernel object"),
        ("something_new", "something_new"),
    ],
)
def test_types(name: str, words: str) -> None:
    assert type_words(name) == words


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("map_ptr", "a map"),
        ("fp, pkt, map_value", "a pointer to memory: the stack, a map value and the like"),
        ("ptr_, trusted_ptr_, rcu_ptr_", "a pointer to a kernel object"),
        ("fp", "a pointer to the stack"),
    ],
)
def test_what_would_do(names: str, words: str) -> None:
    assert expected_words(names) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("smin=2 smax=2", "2"),
        ("smin=4294967295 smax=4294967295", "-1"),
        ("smin=0 smax=4294967295", "any number"),
        ("[0, 1]", "0 to 1"),
        ("[1, 1]", "1"),
        ("value (0x2; 0x0)", "2"),
        ("(0x0; 0x1)", "0 to 1"),
        ("(0x0; 0x5)", "0x0 with any of the bits 0x5"),
        ("unknown scalar value", "any number"),
        ("nothing", ""),
    ],
)
def test_ranges(text: str, words: str) -> None:
    assert values(text) == words


def test_numbers_have_names() -> None:
    assert map_type_name(1) == "hash"
    assert map_type_name(9999) == "9999"
    assert helper_words(201) == "bpf_dynptr_read() (helper 201)"
    assert helper_words(9999) == "helper number 9999"
