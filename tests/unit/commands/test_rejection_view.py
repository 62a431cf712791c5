from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING

import pytest
from bpfctl.commands import saved_log
from bpfctl.commands.context import Context
from bpfctl.commands.errors_view import as_json, as_text, report
from bpfctl.commands.rejection_view import LINES
from bpfctl.commands.saved_log import save_log

from bpfctl.errors import VerifierError
from bpfctl.rejected import HotLine, KernelReport, Place, Rejection, SourceLine

if TYPE_CHECKING:
    from pathlib import Path

LOOKUP = SourceLine("x.bpf.c", 16, 17, "\tlong *value = bpf_map_lookup_elem(&m, &k);")
TEST = SourceLine("x.bpf.c", 17, 6, "\tif (k > 3)")
USE = SourceLine("x.bpf.c", 18, 16, "\treturn (int)*value;")
REJECTION = Rejection(
    message="R0 invalid mem access 'map_value_or_null'",
    insn=7,
    source=USE,
    access="8-byte read through R0",
    register=0,
    registers=(("R0", "map_value_or_null(id=1)"),),
    origin=Place(5, "bpf_map_lookup_elem(m) returns a value pointer or NULL", LOOKUP),
    path=(
        Place(5, "call bpf_map_lookup_elem(m)", LOOKUP),
        Place(6, "if r1 > 0x3 goto pc+1: not taken", TEST),
        Place(7, "r0 = *(u64 *)(r0 +0)", USE),
    ),
    untested=True,
)
LOG = "".join(f"line {number}\n" for number in range(1, 41))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where logs go in a test."""
    monkeypatch.setattr(saved_log, "FOLDER", str(tmp_path / "bpfctl"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    return tmp_path / "bpfctl"


def rejected(rejection: Rejection = REJECTION, log: str = LOG, **context: object) -> VerifierError:
    error = VerifierError(errno.EACCES, "load", log, **context)  # type: ignore[arg-type]  # passed on
    error.within(subject="x.bpf.o", program="main")
    error.code, error.message = "verifier-null-check-missing", "rejected: R0 may be NULL here"
    error.remedy = "test the pointer before use:  if (!value) return 0;"
    error.rejection = rejection
    return error


SCREEN = """\
bpfctl: x.bpf.o: program main: rejected: R0 may be NULL here
  x.bpf.c:18    return (int)*value;
                              ^ 8-byte read through R0
  where from insn 5, x.bpf.c:16: bpf_map_lookup_elem(m) returns a value pointer or NULL
             long *value = bpf_map_lookup_elem(&m, &k);
  path       insn 5     x.bpf.c:16                   long *value = bpf_map_lookup_elem(&m, &k);
             insn 6     x.bpf.c:17                   if (k > 3)   [r1 > 0x3: no]
             insn 7     x.bpf.c:18                   return (int)*value;   <- refused here
             no branch on the way tested R0
  kernel     R0 invalid mem access 'map_value_or_null'
  change     test the pointer before use:  if (!value) return 0;
  log        /run/bpfctl/main.log (40 lines)
  code       verifier-null-check-missing"""


def test_a_rejection_is_told_on_one_screen() -> None:
    error = rejected()
    error.log_path = "/run/bpfctl/main.log"
    lines = "\n".join(as_text(error))
    assert lines.startswith(SCREEN)
    assert "more: bpfctl explain" in lines or lines == SCREEN


def test_nothing_makes_it_longer_than_25_lines() -> None:
    words = "many words " * 60
    places = tuple(
        Place(at, "r1 = 2", SourceLine("x.bpf.c", at, 1, f"line {at};")) for at in range(6)
    )
    long = REJECTION._replace(
        message="one\ntwo\nthree",
        path=places,
        hot=(HotLine(9, 0.9, USE),) * 3,
        who_may=("xdp", "tc") * 60,
        kernel=KernelReport("text", "headline", words, words),
    )
    error = rejected(long, missing_bytes=77)
    error.undone = True
    error.evidence = error.candidates = ["some", "more", "words"]
    error.log_path = "/run/bpfctl/main.log"
    lines = list(as_text(error))
    assert len(lines) <= LINES
    assert "truncated: 77 bytes of its beginning missing" in "\n".join(lines)
    assert lines[-2].startswith("  code")


def test_a_log_longer_than_the_screen_goes_to_a_file_for_us_alone(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = rejected()
    report(Context(), error)
    path = folder / "main.log"
    assert f"  log        {path} (40 lines)" in capsys.readouterr().err
    assert path.read_text() == LOG
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert as_json(error)["log_path"] == str(path)


def test_a_short_log_is_shown_and_not_saved(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report(Context(), rejected(log="line 1\nline 2\n"))
    text = capsys.readouterr().err
    assert "  log        2 lines\n    line 1\n    line 2\n" in text
    assert not folder.exists()


@pytest.mark.parametrize(
    ("wanted", "shown"), [("none", False), ("full", True), ("error", False), ("stats", False)]
)
def test_how_much_of_a_log_is_wanted(
    wanted: str, shown: bool, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = rejected()
    error.log_wanted = wanted
    report(Context(), error)
    text = capsys.readouterr().err
    assert ("    line 40\n" in text) is shown
    assert ("  log  " in text) is (wanted != "none")
    assert folder.exists() is (wanted in {"error", "stats"})


def test_the_next_log_of_a_program_takes_the_place_of_the_last(folder: Path) -> None:
    error = rejected()
    save_log(error)
    error.log = "another\n"
    assert save_log(error) == str(folder / "main.log")
    assert [path.name for path in folder.iterdir()] == ["main.log"]
    assert (folder / "main.log").read_text() == "another\n"


def test_a_folder_of_others_is_not_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    folder.chmod(0o777)
    monkeypatch.setattr(saved_log.tempfile, "mkdtemp", lambda prefix: _made(folder.parent, prefix))
    assert save_log(rejected()) == f"{folder.parent}/bpfctl-1/main.log"
    assert list(folder.iterdir()) == []


def test_a_link_is_not_followed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    folder.symlink_to(elsewhere)
    monkeypatch.setattr(saved_log.tempfile, "mkdtemp", lambda prefix: _made(folder.parent, prefix))
    save_log(rejected())
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "file"),
    [("../../etc/x", "_._.._etc_x.log"), (".hidden", "_hidden.log"), (None, "program.log")],
)
def test_names_of_files_are_harmless(name: str | None, file: str, folder: Path) -> None:
    error = rejected()
    error.program = name
    assert save_log(error) == str(folder / file)


def test_a_log_that_cannot_be_saved_is_shown_in_part(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(prefix: str) -> str:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(saved_log, "FOLDER", "/proc/bpfctl")
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr(saved_log.tempfile, "mkdtemp", refuse)
    report(Context(), rejected())
    text = capsys.readouterr().err
    assert "  log        40 lines, the last 20 here (-d shows all)\n    line 21\n" in text


def _made(parent: Path, prefix: str) -> str:
    path = parent / f"{prefix}1"
    path.mkdir(mode=0o700)
    return str(path)
