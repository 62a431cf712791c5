"""Our parts of contextlib and functools do what the standard library's do."""

from __future__ import annotations

import contextlib
import functools
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl import plain_tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def fail(error: Exception | None) -> None:
    if error is not None:
        raise error


BOTH = pytest.mark.parametrize("library", [plain_tools, contextlib], ids=["ours", "theirs"])
CACHES = pytest.mark.parametrize("library", [plain_tools, functools], ids=["ours", "theirs"])


class Note:
    """Writes down how a block ended; `swallow` hides its exception, `fail` raises another."""

    def __init__(
        self, name: str, notes: list[str], *, swallow: bool = False, fail: Exception | None = None
    ) -> None:
        self.name, self.notes, self.swallow, self.fail = name, notes, swallow, fail

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        self.notes.append(f"{self.name} {error!r} {kind is type(error)} {trace is not None}")
        if self.fail:
            raise self.fail
        return self.swallow


@BOTH
@pytest.mark.parametrize(
    ("ends", "raised", "outcome"),
    [
        (({}, {}), None, None),
        (({}, {}), KeyError("x"), "KeyError('x')"),
        (({"swallow": True}, {}), KeyError("x"), None),
        (({}, {"swallow": True}), KeyError("x"), None),
        (({}, {"fail": OSError("y")}), None, "OSError('y')"),
        (({}, {"fail": OSError("y")}), KeyError("x"), "OSError('y')"),
        (({"swallow": True}, {"fail": OSError("y")}), KeyError("x"), None),
        (({"fail": OSError("z")}, {"fail": OSError("y")}), None, "OSError('z')"),
        (({"fail": OSError("z")}, {"swallow": True}), KeyError("x"), "OSError('z')"),
    ],
)
def test_a_stack_ends_all_its_blocks(
    library: Any, ends: tuple[dict[str, Any], ...], raised: Exception | None, outcome: str | None
) -> None:
    notes: list[str] = []

    def run() -> None:
        with library.ExitStack() as stack:
            for number, end in enumerate(ends):
                assert stack.enter_context(Note(str(number), notes, **end)) == str(number)
            stack.callback(notes.append, "called")
            fail(raised)

    try:
        run()
        found = None
    except Exception as err:
        found = repr(err)
    assert found == outcome
    assert notes[0] == "called"
    assert [note[0] for note in notes[1:]] == ["1", "0"]


@BOTH
def test_both_stacks_tell_their_blocks_the_same(library: Any) -> None:
    told: dict[Any, list[str]] = {}
    for one in (library, contextlib):
        notes = told[one] = []
        try:
            with one.ExitStack() as stack:
                stack.enter_context(Note("a", notes, fail=OSError("z")))
                stack.enter_context(Note("b", notes, fail=OSError("y")))
                stack.enter_context(Note("c", notes))
                fail(KeyError("x"))
        except OSError as err:
            middle = err.__context__
            assert middle is not None
            notes.append(repr([err, middle, middle.__context__]))
    assert told[library] == told[contextlib]
    assert told[library][-1] == "[OSError('z'), OSError('y'), KeyError('x')]"


@BOTH
def test_what_is_popped_ends_later(library: Any) -> None:
    notes: list[str] = []
    with library.ExitStack() as stack:
        stack.enter_context(Note("a", notes))
        kept = stack.pop_all()
    assert notes == []
    kept.close()
    kept.close()
    assert notes == ["a None False False"]


def swallowing() -> Iterator[int]:
    try:
        yield 5
    except KeyError:
        return


def cleaning() -> Iterator[int]:
    try:
        yield 5
    finally:
        pass


def changing() -> Iterator[int]:
    try:
        yield 5
    except KeyError as err:
        raise OSError("y") from err


def going_on() -> Iterator[int]:
    with contextlib.suppress(KeyError):
        yield 5
    yield 6


@BOTH
@pytest.mark.parametrize(
    ("make", "raised", "outcome"),
    [
        (swallowing, None, "5"),
        (swallowing, KeyError("x"), "5"),
        (swallowing, OSError("x"), "OSError"),
        (swallowing, StopIteration("x"), "StopIteration"),
        (cleaning, KeyError("x"), "KeyError"),
        (changing, KeyError("x"), "OSError"),
        (going_on, None, "RuntimeError"),
        (going_on, KeyError("x"), "RuntimeError"),
    ],
)
def test_a_generator_is_a_block(
    library: Any, make: Callable[[], Iterator[int]], raised: Exception | None, outcome: str
) -> None:
    got = ""
    try:
        with library.contextmanager(make)() as value:
            got = str(value)
            fail(raised)
    except Exception as err:
        got = type(err).__name__
    assert got == outcome


@BOTH
def test_what_may_fail(library: Any) -> None:
    with library.suppress(KeyError, OSError):
        fail(OSError("x"))
    with pytest.raises(ValueError, match="y"), library.suppress(KeyError):
        fail(ValueError("y"))


@CACHES
def test_a_property_is_made_once(library: Any) -> None:
    class Made:
        """Counts."""

        count = 0

        def value(self) -> int:
            """Doc."""
            self.count += 1
            return self.count

    Made.cached = library.cached_property(Made.value)  # type: ignore[attr-defined] # made here
    Made.cached.__set_name__(Made, "cached")  # type: ignore[attr-defined] # made here
    one: Any = Made()
    assert [one.cached, one.cached, Made.cached.__doc__] == [1, 1, "Doc."]  # type: ignore[attr-defined] # made here
    del one.cached
    assert one.cached == 2


@CACHES
def test_a_function_is_asked_once_for_each_arguments(library: Any) -> None:
    asked: list[tuple[object, ...]] = []

    def ask(*arguments: object) -> int:
        asked.append(arguments)
        return len(asked)

    cached = library.cache(ask)
    assert [cached(1), cached(1), cached(1, 2), cached("a"), cached(1)] == [1, 1, 2, 3, 1]
    cached.cache_clear()
    assert cached(1) == 4
    assert cached.__name__ == "ask"
