"""What becomes of the objects that a machine did not judge; no machine is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.corpus import elsewhere, judge, places, stream
from tests.corpus.elsewhere import Asked
from tests.vm import machine
from tests.vm.errors import VmError
from tests.vm.machine import DIED, TIMED_OUT, Ended

if TYPE_CHECKING:
    from pathlib import Path

GOOD, DEAD, LATE = Ended(0), Ended(DIED, "it died"), Ended(TIMED_OUT, "it was late")
Life = tuple[list[str], list[str], Ended]  # what a machine judges, what it begins, its end


class Machines:
    """Machines whose lives are known before; remembers what each was to judge."""

    def __init__(self, lives: list[Life]) -> None:
        self.lives = iter(lives)
        self.wanted: list[list[str]] = []

    def run(self, job: machine.Job, sink: stream.Listener) -> Ended:
        assert job.drive is not None
        self.wanted.append((job.drive / "wanted-6.1").read_text().splitlines())
        judged, begun, ended = next(self.lives)
        for name in judged:
            sink.begun.add(name)
            sink.write(stream.VERDICT + b'{"object": "%s"}\n' % name.encode())
        sink.begun |= set(begun)
        return ended


@pytest.mark.parametrize(
    ("lives", "wanted", "late", "blamed"),
    [
        pytest.param([(["a", "b", "c"], [], GOOD)], ["abc"], "", "", id="all at once"),
        pytest.param(
            [(["a"], ["b", "c"], DEAD), (["b", "c"], [], GOOD)], ["abc", "bc"], "", "", id="by luck"
        ),
        pytest.param(
            [([], ["a", "b"], DEAD), (["c"], [], GOOD), (["a"], ["b"], DEAD)],
            ["abc", "c", "ab"],
            "",
            "b",
            id="one kills",
        ),
        pytest.param(
            [([], ["a", "b"], DEAD), (["c"], [], GOOD), ([], ["a"], DEAD), ([], ["b"], DEAD)],
            ["abc", "c", "ab", "b"],
            "",
            "ab",
            id="two kill",
        ),
        pytest.param(
            [(["a"], [], DEAD), (["b", "c"], [], GOOD)], ["abc", "bc"], "", "", id="between"
        ),
        pytest.param([(["a"], ["b"], LATE)], ["abc"], "bc", "", id="late"),
        pytest.param(
            [([], ["a"], DEAD), (["b"], ["c"], LATE)], ["abc", "bc"], "ca", "", id="dead, then late"
        ),
    ],
)
def test_what_is_left_is_resumed(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    lives: list[Life],
    wanted: list[str],
    late: str,
    blamed: str,
) -> None:
    machines = Machines(lives)
    monkeypatch.setenv(places.VARIABLE, str(tmp_path))
    monkeypatch.setattr(machine, "run", machines.run)
    results = tmp_path / "objects-6.1.jsonl"
    left = elsewhere.run(["a", "b", "c"], Asked("6.1", results, 60, 600))
    assert machines.wanted == [list(names) for names in wanted]
    assert left == list(late)
    verdicts = judge.read(results)
    assert set(verdicts) == set("abc") - set(late)
    outcomes = {
        name: verdict["bpfctl"]["code"] for name, verdict in verdicts.items() if len(verdict) > 1
    }
    assert outcomes == dict.fromkeys(blamed, "machine")


def test_machines_that_do_nothing_are_not_started_for_ever(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(places.VARIABLE, str(tmp_path))
    monkeypatch.setattr(machine, "run", Machines([([], [], DEAD)]).run)
    with pytest.raises(VmError, match=r"Linux 6\.1 got nothing done: it died"):
        elsewhere.run(["a"], Asked("6.1", tmp_path / "results", 60, 600))
