"""Plain data classes: what instances are, though their `__init__` is made late."""

from __future__ import annotations

from dataclasses import fields
from dataclasses import replace as dataclass_replace
from typing import Any, ClassVar

import pytest

from bpfctl.plain import field, plain, replace


@plain
class Base:
    """Has a default, and what is no field."""

    KIND: ClassVar[int] = 7
    id: int
    name: str = "none"


@plain
class Derived(Base):
    """Adds fields after the base's."""

    parts: list[int] = field(default_factory=list)
    flag: bool = False

    @property
    def count(self) -> int:
        """A property, as any class has."""
        return len(self.parts)


class Special(Base):
    """Undecorated."""

    __slots__ = ()


@plain
class Empty:
    """No field at all."""


def test_values_by_place_name_and_default() -> None:
    found = Derived(1, "x", [2], flag=True)
    assert (found.id, found.name, found.parts, found.flag) == (1, "x", [2], True)
    assert (found.count, found.KIND) == (1, 7)
    assert Derived(id=1) == Derived(1, "none", [], flag=False)


def test_lists_made_by_default_are_not_shared() -> None:
    one, other = Derived(1), Derived(1)
    one.parts.append(5)
    assert (one.parts, other.parts) == ([5], [])
    assert Derived(1, parts=[]).parts == []


def test_they_compare_hash_and_print_by_their_fields() -> None:
    assert Base(1, "a") == Base(1, "a") != Base(1, "b")
    assert Base(1, "a") != Special(1, "a")
    assert {Base(1): "same"}[Base(1)] == "same"
    assert repr(Derived(3, flag=True)) == "Derived(id=3, name='none', parts=[], flag=True)"
    assert (Empty(), repr(Empty())) == (Empty(), "Empty()")


def test_an_undecorated_class_below_one_is_made_first() -> None:
    @plain
    class Above:
        id: int

    class Below(Above):
        __slots__ = ()

    assert (Below(4).id, Above(5).id, Below(id=6).id) == (4, 5, 6)


@pytest.mark.parametrize(
    ("values", "named", "words"),
    [
        pytest.param((), {}, "missing 1 required positional argument: 'id'", id="missing"),
        pytest.param((1, "a", 2), {}, "takes from 2 to 3 positional arguments but 4", id="many"),
        pytest.param((1,), {"nam": 2}, "unexpected keyword argument 'nam'", id="unknown"),
    ],
)
def test_wrong_arguments(values: tuple[object, ...], named: dict[str, object], words: str) -> None:
    make: Any = Base
    with pytest.raises(TypeError, match=words):
        make(*values, **named)


def test_there_are_slots_and_no_others() -> None:
    with pytest.raises(AttributeError):
        setattr(Base(1), "more", 2)  # noqa: B010 - a type checker would see it


def test_the_tools_of_dataclasses_take_them() -> None:
    assert dataclass_replace(Derived(1), name="x") == Derived(1, "x")
    assert [one.name for one in fields(Derived)] == ["id", "name", "parts", "flag"]
    match Base(1, "a"):
        case Base(1, name):
            assert name == "a"


def test_a_copy_with_changes() -> None:
    before = Derived(1, "a", [2])
    assert replace(before, name="x") == Derived(1, "x", [2])
    assert before == Derived(1, "a", [2])
    with pytest.raises(TypeError, match="unexpected keyword argument 'nam'"):
        replace(before, nam="x")


@pytest.mark.parametrize("number", range(0, 60, 10))
def test_the_hundredth_instance_is_like_the_first(number: int) -> None:
    @plain
    class Made(Base):
        parts: list[int] = field(default_factory=list)

    for _ in range(number):
        Made(0)
    assert repr(Made(1, parts=[2])) == "Made(id=1, name='none', parts=[2])"
    assert Made(1).parts is not Made(1).parts
    wrong: list[Any] = [((), {}), ((1, "x", [], 4), {}), ((1,), {"id": 2}), ((1,), {"odd": 2})]
    for values, named in wrong:
        with pytest.raises(TypeError, match="__init__"):
            Made(*values, **named)
