"""Signals that end a command: it undoes what it did, once, and says by its status which came."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

# Stands in for a command: is asked to end, and while it undoes what it did, again and again.
COMMAND = """
import os, signal, sys
from bpfctl import __main__ as program
from bpfctl.commands import main

def run(words):
    try:
        os.kill(os.getpid(), {first})
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(os.getpid(), number)
        print("undone", flush=True)
    return 0

main.main = run
program.main()
"""


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["INT", "TERM", "HUP"],
)
def test_further_signals_do_not_disturb_the_clean_up(number: signal.Signals, status: int) -> None:
    words = [sys.executable, "-c", COMMAND.format(first=int(number))]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (status, "undone\n", "")


def test_an_ignored_signal_stays_ignored() -> None:
    """As under nohup, and of commands that a script runs in the background."""
    ignoring = (
        "import signal\n"
        "for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n"
        "    signal.signal(number, signal.SIG_IGN)\n"
    )
    code = ignoring + COMMAND.format(first=int(signal.SIGTERM))
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "undone\n", "")
