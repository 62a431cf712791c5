"""Places in executables and libraries, by the names people give them."""

from __future__ import annotations

import os
import re
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path

from bpfctl.elf.binary import open_binary
from bpfctl.errors import AmbiguousError, NotFoundError, PathError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Final

    from bpfctl.elf.binary import Binary, Function

_OFFSET: Final = re.compile(r"0x[0-9a-fA-F]{1,16}|[1-9][0-9]{0,18}|0")
_LIBRARIES: Final = ("/usr/lib64", "/usr/lib", "/lib64", "/lib")
_PROGRAMS: Final = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin", "/sbin")


def binary_path(name: str) -> str:
    """Return the absolute path of a file that is probed ("/bin/bash", "libc.so.6", "bash").

    A name without a slash is looked for as a library where it looks like one, else as a program.
    Raises: PathError.
    """
    if "/" in name:
        return str(Path(name).absolute())
    for folder in _folders(name):
        path = Path(folder, name)
        if path.is_file():
            return str(path)
    kind = "library" if _is_library(name) else "program"
    raise PathError(f"there is no {kind} of that name", code="no-such-binary", subject=name)


def _is_library(name: str) -> bool:
    return name.endswith(".so") or ".so." in name


def _folders(name: str) -> Iterator[str]:
    """Yield where the dynamic linker and shells look; Debian has a folder for each machine."""
    if not _is_library(name):
        yield from (one for one in os.environ.get("PATH", "").split(":") if one.startswith("/"))
        yield from _PROGRAMS
        return
    yield from (one for one in os.environ.get("LD_LIBRARY_PATH", "").split(":") if one)
    for folder in _LIBRARIES:
        yield f"{folder}/{os.uname().machine}-linux-gnu"
        yield folder


def function_offsets(path: str, names: Sequence[str]) -> list[int]:
    """Return the offsets of functions in a file; a name may have a version ("f@GLIBC_2.2.5").

    Raises: NotFoundError, AmbiguousError (several places have that name), PathError,
    ObjectFileError.
    """
    wanted = {name.partition("@")[0] for name in names}
    with open_binary(path) as binary:
        found: dict[str, list[Function]] = {name: [] for name in wanted}
        for one in binary.functions():
            if one.name in found:
                found[one.name].append(one)
        return [_choose(binary, name, found[name.partition("@")[0]]) for name in names]


def place_offsets(path: str, places: Sequence[str]) -> list[int]:
    """Return the offsets of places in a file: FUNCTION, FUNCTION+OFFSET, or an offset by itself.

    Raises: as `function_offsets`.
    """
    parts = [_place(one) for one in places]
    names = [name for name, _ in parts if name]
    starts = iter(function_offsets(path, names)) if names else iter(())
    return [(next(starts) if name else 0) + offset for name, offset in parts]


def _place(text: str) -> tuple[str, int]:
    name, _, offset = text.rpartition("+")
    if not _OFFSET.fullmatch(offset):
        return text, 0
    return (name, int(offset, 0)) if name or text == offset else (text, 0)


def _choose(binary: Binary, name: str, found: Sequence[Function]) -> int:
    """Choose as the linker would: the version that is asked for, the default one, a global one."""
    plain, at, version = name.partition("@")
    if at:
        found = [one for one in found if one.version == version.lstrip("@")]
    if not found:
        raise _missing(binary, plain, name)
    for preferred in (
        [one for one in found if one.is_default and one.is_global],
        [one for one in found if one.is_default],
        found,
    ):
        places = {one.offset for one in preferred}
        if len(places) == 1:
            return places.pop()
        if places:
            found = preferred
    raise AmbiguousError(
        f"{len({one.offset for one in found})} functions are called {name}",
        code="ambiguous-function",
        subject=binary.path,
        evidence=[f"{one.name} at offset {one.offset:#x}" for one in found[:5]],
        remedy=f"choose one by its offset ({binary.path}:0x...)",
    )


def _missing(binary: Binary, plain: str, name: str) -> NotFoundError:
    names = {one.name for one in binary.functions()}
    near = get_close_matches(plain[:64], names, n=3)
    known = [] if names else ["the file has no symbol table (it may be stripped)"]
    return NotFoundError(
        f"there is no function {name}",
        code="no-such-function",
        subject=binary.path,
        evidence=known,
        remedy=f"did you mean {' or '.join(near)}?" if near else None,
    )


def functions_matching(path: str, pattern: str) -> dict[str, int]:
    """Return the functions of a file that a pattern with `*` and `?` means, with their offsets.

    Of several names for one place the first counts.
    Raises: NotFoundError when there is none, PathError, ObjectFileError.
    """
    places: dict[int, str] = {}
    with open_binary(path) as binary:
        for one in binary.functions():
            if fnmatchcase(one.name, pattern):
                places.setdefault(one.offset, one.name)
    if not places:
        raise NotFoundError(f"no function matches {pattern}", code="no-such-function", subject=path)
    return {name: offset for offset, name in places.items()}
