"""A log that makes no sense ends in an explanation that says less: never in a traceback."""

from __future__ import annotations

from bpfctl.commands.clean import clean_lines
from bpfctl.commands.errors_view import as_json, as_text
from bpfctl.commands.rejection_view import LINES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bpfctl.errors import VerifierError
from bpfctl.explain.rejection import explain_rejection
from bpfctl.rejected import ProgramCode, SourceLine
from tests.tools.verifier_logs import KERNELS, read

bounded = settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.too_slow])

LOGS = [one.log[-8000:] for kernel in KERNELS for one in read(kernel).values() if one.log]
ODD = ["\0", "\x1b[2J", "(", ")", ":", ";", "=", "R99=", "%s", "{0}", "é", "\u2028", "9" * 30]


@st.composite
def logs(draw: st.DrawFn) -> str:
    """Cut, double, mix and damage the lines of real logs."""
    lines = draw(st.sampled_from(LOGS)).split("\n")
    others = draw(st.sampled_from(LOGS)).split("\n")
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.integers(0, 3))
        if kind == 0 and len(lines) > 1:
            del lines[at]
        elif kind == 1:
            lines.insert(at, draw(st.sampled_from(others)))
        elif kind == 2:
            cut = draw(st.integers(0, len(lines[at])))
            lines[at] = lines[at][:cut] + draw(st.sampled_from(ODD)) + lines[at][cut:]
        else:
            lines[at] = lines[at][: draw(st.integers(0, len(lines[at])))]
    return "\n".join(lines)


@st.composite
def codes(draw: st.DrawFn) -> ProgramCode:
    """Make code that has nothing to do with the log."""
    text = draw(st.sampled_from(["", "\tx = f(\x1b[1m);", "}" * 300]))
    lines = tuple(
        (at * 3, SourceLine("x.c", at, draw(st.integers(0, 400)), text)) for at in range(9)
    )
    return ProgramCode(
        draw(st.binary(max_size=400)), 1, lines, ((0, "main"), (9, "f")), ((0, "m"),)
    )


@bounded
@given(log=logs(), code=codes(), lost=st.sampled_from([0, 7, None]), beginning=st.booleans())
def test_any_log_is_told_on_one_screen(
    log: str, code: ProgramCode, lost: int | None, beginning: bool
) -> None:
    error = VerifierError(22, "load", log, missing_bytes=lost, kept_beginning=beginning)
    error.knowing(code)
    error.log_path = "/run/bpfctl/x.log"
    screen = list(as_text(explain_rejection(error)))
    assert len(screen) <= LINES
    assert all(line == clean_lines(line) and "\n" not in line for line in screen)
    assert as_json(error)["code"] == error.code
