"""The parts of `contextlib` and `functools` that every command uses, without what these import.

Both import `collections`: together 3 ms of processor time, where Python starts in 9. These do the
same for what the library does with them, and are the standard ones to a type checker.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack as ExitStack
    from contextlib import contextmanager as contextmanager
    from contextlib import suppress as suppress
    from functools import cache as cache
    from functools import cached_property as cached_property
    from typing import Any, Self

_END: Any = object()


class _CachedProperty:
    """An attribute that a method makes when it is first asked for."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self._name = ""
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        value = vars(instance)[self._name] = self._make(instance)
        return value


def _cache(function: Callable[..., Any]) -> Callable[..., Any]:
    """Keep what a function returned for each set of arguments, which are given by place."""
    known: dict[Any, Any] = {}

    def ask(*arguments: Any) -> Any:
        if arguments not in known:
            known[arguments] = function(*arguments)
        return known[arguments]

    ask.__doc__, ask.__name__ = function.__doc__, function.__name__
    vars(ask).update(__wrapped__=function, cache_clear=known.clear)
    return ask


class _GeneratorManager:
    """A `with` block around the `yield` of a generator."""

    def __init__(self, generator: Any) -> None:
        self._generator = generator

    def __enter__(self) -> Any:
        return next(self._generator)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if error is None:
            if next(self._generator, _END) is not _END:
                raise RuntimeError("the generator goes on after its block")
            return False
        try:
            self._generator.throw(error)
        except StopIteration as end:
            return end is not error
        except BaseException as raised:
            # A StopIteration that passes through a generator comes out as the cause of another.
            if raised is error or (isinstance(error, StopIteration) and raised.__cause__ is error):
                return False
            raise
        raise RuntimeError("the generator goes on after an exception")


def _contextmanager(function: Callable[..., Iterator[Any]]) -> Callable[..., _GeneratorManager]:
    """Make a function that yields once one for `with` blocks."""

    def manage(*arguments: Any, **named: Any) -> _GeneratorManager:
        return _GeneratorManager(function(*arguments, **named))

    manage.__doc__, manage.__name__ = function.__doc__, function.__name__
    vars(manage).update(__wrapped__=function)
    return manage


class _ExitStack:
    """What is to be closed or undone, the last first, when the block ends or `close` is called."""

    def __init__(self) -> None:
        self._exits: list[Callable[[Any, Any, Any], Any]] = []

    def enter_context(self, manager: Any) -> Any:
        """Enter a `with` block that ends with this one; return what it gives."""
        entered = manager.__enter__()
        self._exits.append(manager.__exit__)
        return entered

    def callback(self, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
        """Call a function at the end."""

        def leave(*_: object) -> bool:
            function(*arguments, **named)
            return False

        self._exits.append(leave)
        return function

    def pop_all(self) -> _ExitStack:
        """Give everything to a new stack; nothing is left for this one to do."""
        other = type(self)()
        other._exits, self._exits = self._exits, []
        return other

    def close(self) -> None:
        """End now."""
        self.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        """End all blocks, whatever some of them raise; the last that was raised comes out."""
        pending = error
        while self._exits:
            leave = self._exits.pop()
            try:
                if leave(type(pending) if pending else None, pending, _trace(pending)):
                    pending = None
            except BaseException as raised:  # noqa: BLE001 - raised below, when all have ended
                _chain(raised, pending, error)
                pending = raised
        if pending is not None and pending is not error:
            before = pending.__context__
            try:
                raise pending
            finally:
                pending.__context__ = before  # which raising it again has changed
        return error is not None and pending is None


class _Suppress:
    """Goes on behind the block where it raises one of these."""

    def __init__(self, *errors: type[BaseException]) -> None:
        self._errors = errors

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return isinstance(error, self._errors)


def _chain(raised: BaseException, before: BaseException | None, outer: object) -> None:
    """Let an exception say which one it came after; Python knows only of that of the block."""
    last = raised
    while last.__context__ is not None and last.__context__ is not outer:
        last = last.__context__
        if last is before:
            return
    if last is not before:
        last.__context__ = before


def _trace(error: BaseException | None) -> object:
    return error.__traceback__ if error else None


if not TYPE_CHECKING:
    ExitStack, contextmanager, suppress = _ExitStack, _contextmanager, _Suppress
    cache, cached_property = _cache, _CachedProperty
