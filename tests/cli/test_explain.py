"""`bpfctl explain`."""

from __future__ import annotations

from bpfctl.explain.catalogue.index import entries
from tests.cli.runner import in_process, run


def test_the_long_form() -> None:
    done = run("explain", "eperm-trampoline-refused")
    lines = done.out.splitlines()
    assert (done.status, done.err) == (0, "")
    assert lines[0] == (
        "eperm-trampoline-refused: this kernel refuses programs that need a trampoline"
    )
    assert [line for line in lines if line.endswith(":")] == [
        "How bpfctl knows:",
        "What to do:",
        "Kernels:",
    ]
    assert max(map(len, lines)) <= 80


def test_as_data() -> None:
    entry = entries()["capabilities-missing"]
    assert in_process("-j", "explain", "capabilities-missing").json == {
        "code": "capabilities-missing",
        "title": entry.title,
        "meaning": entry.meaning,
        "confirmed": entry.confirmed,
        "remedy": entry.remedy,
        "kernels": entry.kernels,
    }


def test_without_a_code_all_are_listed() -> None:
    listed = in_process("-j", "explain").json
    assert [one["code"] for one in listed] == list(entries())
    table = in_process("explain").out.splitlines()
    assert table[0].split() == ["CODE", "MEANS"]
    assert len(table) == len(listed) + 1


def test_an_unknown_code_names_the_nearest() -> None:
    done = in_process("-j", "explain", "capability-missing")
    error = done.json["error"]
    assert (done.status, error["code"]) == (3, "no-such-code")
    assert error["message"] == 'no error has the code "capability-missing"'
    assert error["remedy"].startswith("did you mean capabilities-missing")


def test_nothing_near() -> None:
    done = in_process("explain", "zzz")
    assert done.err.splitlines()[1] == "  remedy     bpfctl explain lists all codes"
