"""Our named tuples do what the standard library's do with the same fields."""

from __future__ import annotations

import copy
import pickle
import typing
from typing import Any

import pytest

from bpfctl import plain_typing


class Ours(plain_typing.NamedTuple):
    """Two fields and a property."""

    name: str
    size: int = 8

    @property
    def bits(self) -> int:
        return self.size * 8


class Theirs(typing.NamedTuple):
    name: str
    size: int = 8


class Longer(Ours):
    """A class of one of ours."""

    def twice(self) -> int:
        return self.size * 2


CALLS = [
    lambda kind: kind("x"),
    lambda kind: kind("x", 4),
    lambda kind: kind(size=4, name="x"),
    lambda kind: kind._make(["x", 2]),
    lambda kind: kind("x")._replace(size=3),
    lambda kind: kind("x")._asdict(),
    lambda kind: kind("x").name,
    lambda kind: kind("x")[1],
    lambda kind: [*kind("x")],
    lambda kind: hash(kind("x")),
    lambda kind: repr(kind("x")).replace(kind.__name__, ""),
    lambda kind: kind("x") < kind("y"),
    lambda kind: kind._fields,
    lambda kind: kind._field_defaults,
    lambda kind: kind.__match_args__,
]


def pickled(one: Any) -> Any:
    return pickle.loads(pickle.dumps(one))


@pytest.mark.parametrize("call", CALLS)
def test_tuples_are_those_of_the_standard_library(call: Any) -> None:
    assert call(Ours) == call(Theirs)


@pytest.mark.parametrize("words", [(), ("x", 1, 2)])
def test_wrong_arguments_are_refused(words: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError):
        Theirs(*words)
    with pytest.raises(TypeError):
        Ours(*words)


def test_a_class_may_have_more_than_fields_and_a_class_of_its_own() -> None:
    one = Longer("x", 4)
    assert (one.bits, one.twice(), one) == (32, 8, ("x", 4))
    assert isinstance(one, Ours)
    assert type(one._replace(size=5)) is Longer
    assert not hasattr(Ours("x"), "__dict__")


@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_a_copy_is_equal(again: Any) -> None:
    assert again(Ours("x", 1)) == Ours("x", 1)
    assert type(again(Ours("x", 1))) is Ours


@pytest.mark.parametrize("number", range(0, 60, 10))
def test_the_hundredth_instance_is_like_the_first(number: int) -> None:
    class Made(plain_typing.NamedTuple):
        name: str
        size: int = 8

    for _ in range(number):
        Made("x")
    assert [Made("x"), Made(size=3, name="y"), Made("z", 1)] == [("x", 8), ("y", 3), ("z", 1)]
    wrong: list[Any] = [((), {}), (("x", 1, 2), {}), (("x",), {"name": 2}), (("x",), {"odd": 2})]
    for values, named in wrong:
        with pytest.raises(TypeError, match="__new__"):
            Made(*values, **named)
