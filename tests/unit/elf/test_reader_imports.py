"""What reading an object imports, and what it leaves alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DATA = Path(__file__).parents[2] / "data"
CODE = """
import sys
from bpfctl.elf.reader import read_object
read_object(sys.argv[1])
print({"pdb", "pprint", "inspect"} & set(sys.modules) or "none")
from elftools.construct.debug import Probe
print(Probe.__name__)
from elftools.construct.lib import Container
print(Container(a=1))
import pprint
print(pprint.pformat([1]))
"""


def test_no_debugger_is_imported_and_who_wants_it_gets_it() -> None:
    words = [sys.executable, "-c", CODE, str(DATA / "core.bpf.o")]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["none", "Probe", "Container({'a':", "1})", "[1]"]
