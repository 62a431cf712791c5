"""Compare the verifier's statistics with earlier ones: what failed since, what grew."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path, PurePath

from bpfctl.check.verify import FAILURE, NUMBERS, SUCCESS, Verified
from bpfctl.errors import PathError
from bpfctl.plain import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, Final

# Those that are the same in every run on the same kernel; the time is not.
COMPARED: Final = ("insns", "states", "peak_states", "stack_bytes")
_MAX_BYTES: Final = 64 << 20

Baseline = dict[tuple[str, str], Verified]


@plain
class Regression:
    """A program that got worse; `what` is "verdict" or the name of a number."""

    path: str
    program: str
    what: str
    before: int | str
    now: int | str

    def to_json(self) -> dict[str, object]:
        """The fields."""
        return {
            "object": self.path,
            "program": self.program,
            "what": self.what,
            "before": self.before,
            "now": self.now,
        }


def regressions(found: Iterable[Verified], base: Baseline, percent: float) -> Iterator[Regression]:
    """Yield what got worse than `percent` allows. Programs that are new have nothing to regress."""
    for one in found:
        before = base.get(_key(one.path, one.program))
        if before is None:
            continue
        if before.verdict == SUCCESS and one.verdict == FAILURE:
            yield Regression(one.path, one.program, "verdict", SUCCESS, FAILURE)
            continue
        for name in COMPARED:
            old, new = getattr(before, name), getattr(one, name)
            if old is not None and new is not None and new > old * (1 + percent / 100):
                yield Regression(one.path, one.program, name, old, new)


def read_baseline(path: str) -> Baseline:
    """Read what `check --verify` wrote as JSON, JSON Lines or CSV.

    Raises: PathError for a file that cannot be read or has something else.
    """
    try:
        with Path(path).open("rb") as file:
            text = file.read(_MAX_BYTES).decode()
    except OSError as err:
        words = (err.strerror or str(err)).lower()
        raise PathError(f"cannot read it: {words}", subject=path) from err
    except UnicodeDecodeError as err:
        raise _wrong(path) from err
    try:
        rows = list(_rows(text))
        return {_key(one.path, one.program): one for one in map(_verified, rows)}
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as err:
        raise _wrong(path) from err


def _rows(text: str) -> Iterator[dict[str, Any]]:
    """Yield the rows about programs, whatever the format is."""
    if text[:1] not in ("[", "{"):
        yield from csv.DictReader(io.StringIO(text))
        return
    try:
        reports = json.loads(text)
    except json.JSONDecodeError:
        reports = [json.loads(line) for line in text.splitlines() if line.strip()]
    for report in reports if isinstance(reports, list) else [reports]:
        yield from report["verified"]


def _verified(row: dict[str, Any]) -> Verified:
    if row["verdict"] not in (SUCCESS, FAILURE):
        raise ValueError(row["verdict"])
    numbers: dict[str, Any] = {name: _number(row.get(name)) for name in NUMBERS}
    return Verified(str(row["object"]), str(row["program"]), row["verdict"], **numbers)


def _number(value: Any) -> int | None:
    return None if value in (None, "") else int(value)


def _key(path: str, program: str) -> tuple[str, str]:
    """Objects are told by their names: a build may put them elsewhere."""
    return PurePath(path).name, program


def _wrong(path: str) -> PathError:
    return PathError(
        "is no baseline",
        code="baseline",
        subject=path,
        remedy="write one with bpfctl -j check --verify, or with --format csv",
    )
