"""Our enums do what the standard library's do with the same members."""

from __future__ import annotations

import copy
import enum
import json
import pickle
from typing import Any

import pytest

from bpfctl import plain_enum
from bpfctl.kernel import flags, uapi, uapi_helpers

ENUMS = [
    one
    for module in (uapi, uapi_helpers, flags)
    for one in vars(module).values()
    if isinstance(one, type(plain_enum.IntEnum)) and one.__module__ == module.__name__
]
OPERATIONS: list[Any] = [
    repr,
    str,
    int,
    hash,
    bool,
    json.dumps,
    lambda one: f"{one} {one:#x}",
    lambda one: one.name,
    lambda one: one.value,
    lambda one: isinstance(one, int),
]


def pickled(one: Any) -> Any:
    return pickle.loads(pickle.dumps(one))


def standard(ours: Any) -> Any:
    base: Any = enum.IntFlag if issubclass(ours, plain_enum.IntFlag) else enum.IntEnum
    return base(ours.__name__, dict(ours.__members__))


@pytest.mark.parametrize("ours", ENUMS, ids=lambda one: one.__name__)
def test_members_are_those_of_the_standard_library(ours: Any) -> None:
    theirs = standard(ours)
    assert len(ours) == len(theirs) >= 1
    assert [one.name for one in ours] == [one.name for one in theirs]
    assert list(ours.__members__) == list(theirs.__members__)
    for name, their in theirs.__members__.items():
        one = getattr(ours, name)
        assert ours[name] is ours(int(their)) is ours(one) is one
        assert one in ours
        if int(their):
            assert [call(one) for call in OPERATIONS] == [call(their) for call in OPERATIONS]


@pytest.mark.parametrize("bits", range(16))
def test_flags_are_as_in_the_standard_library(bits: int) -> None:
    class Ours(plain_enum.IntFlag):
        ONE = 1
        TWO = 2
        FOUR = 4

    one: Any = Ours(bits)
    their = standard(Ours)(bits)
    for other in range(8):
        assert [one | other, one & other, one ^ other] == [
            their | other,
            their & other,
            their ^ other,
        ]
        assert isinstance(one | other, Ours)
    if bits < 8:
        assert int(~one) == int(~their)
    assert (one.name, str(one), one.value) == (their.name, str(their), their.value)


def test_values_of_an_enum_may_be_anything() -> None:
    class Ours(plain_enum.Enum):
        """A word for each."""

        GOOD = "good"
        BAD = "bad"
        WORSE = "bad"

        @property
        def upper(self) -> str:
            return str(self.value).upper()

    assert [one.upper for one in Ours] == ["GOOD", "BAD"]
    assert Ours("bad") is Ours.WORSE is Ours["BAD"]
    assert (repr(Ours.GOOD), str(Ours.BAD)) == ("<Ours.GOOD: 'good'>", "Ours.BAD")
    assert len({Ours.GOOD, Ours.BAD, Ours.WORSE}) == 2


@pytest.mark.parametrize("kind", [uapi.MapType, flags.MapFlags], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize(
    "again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))]
)
def test_a_copy_is_the_member_itself(kind: Any, again: Any) -> None:
    member = next(iter(kind))
    assert again(member) is member


def test_an_unknown_value_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^12345 is not a valid MapType$"):
        uapi.MapType(12345)
    with pytest.raises(KeyError, match="NO_SUCH"):
        uapi.MapType["NO_SUCH"]
