"""Programs whose target is a function of another loaded program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.kernel.info import prog_info
from bpfctl.objects.pin import open_pin
from tests.cli.runner import Done, in_process
from tests.kernel import needs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def target(data: Path, bpffs: Path) -> str:
    """Return the pin of a program with a function that may be replaced."""
    place = bpffs / "target"
    done = in_process("prog", "load", str(data / "target.bpf.o"), str(place))
    assert done == Done(0, "", "")
    return str(place)


@needs.TRAMPOLINES
@pytest.mark.parametrize(
    ("program", "wish"),
    [
        pytest.param("decide_otherwise", "{}:", id="the section names the function"),
        pytest.param("decide_otherwise", "decide_otherwise={}:decide", id="both are named"),
        pytest.param("watch", "{}:packets", id="another function than the section's"),
    ],
)
def test_a_function_of_a_program_is_a_target(
    program: str, wish: str, target: str, data: Path, bpffs: Path
) -> None:
    words = ("--program", program, "--target", wish.format(target))
    done = in_process("prog", "load", str(data / "replace.bpf.o"), str(bpffs / "p"), *words)
    assert done == Done(0, "", "")
    with open_pin(str(bpffs / "p"))[1] as fd:
        assert prog_info(fd).number("attach_btf_id") in (None, *range(1, 100))


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        pytest.param((), 3, 'nothing says what to replace (SEC "freplace/decide")', id="no target"),
        pytest.param(
            ("--target", "{}:decied"),
            3,
            'has no function "decied"',
            id="no such function",
        ),
        pytest.param(("--target", "no_such_program:decide"), 3, "no program has name", id="gone"),
        pytest.param(
            ("--target", "watch={}:decide"),
            3,
            "no program watch to choose a target for",
            id="other",
        ),
    ],
)
def test_targets_that_are_refused(
    words: tuple[str, ...], status: int, message: str, target: str, data: Path, bpffs: Path
) -> None:
    path = str(data / "replace.bpf.o")
    done = in_process("prog", "load", path, str(bpffs / "p"), *(w.format(target) for w in words))
    assert (done.status, done.out) == (status, "")
    assert message in done.err.splitlines()[0]
