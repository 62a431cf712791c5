"""The drive with the project as it is now, the command, and what the command is told."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

from tests.vm import images, newest_bpftool, veristat
from tests.vm.errors import VmError
from tests.vm.rootfs import PROJECT, VENV
from tests.vm.tools import run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

OWN = ".vm"  # beside the project's files: what is for the machine
PASSED_ON = ("CI", "TERM")
GENERATE = "import pathlib, runpy; runpy.run_path('setup.py')['generate'](pathlib.Path({!r}))"
LAUNCHER = f"""\
#!{VENV}/bin/python3
import sys
from bpfctl.__main__ import main
sys.exit(main())
"""


def drive(target: Path, command: str, settings: Mapping[str, str]) -> None:
    """Write a file system with the project, ready to run, and the shell text to run in it."""
    tree = target.with_suffix(".tree")
    copy(tree)
    install(tree)
    own = tree / OWN
    newest_bpftool.install(own)
    veristat.install(own)
    (own / "command").write_text(f"{command}\n")
    passed = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    (own / "settings").write_text(exports({**passed, **settings}))
    images.make(tree, target, spare_bytes=128 * images.MIB)
    shutil.rmtree(tree)


def copy(tree: Path) -> None:
    """Copy what git has or would take: changed and new files too, ignored ones not."""
    # A checkout may belong to somebody else than to root, who tests it.
    words = ("-c", "safe.directory=*", "-C", str(PROJECT), "ls-files", "-z", "--cached", "--others")
    for name in run("git", *words, "--exclude-standard").decode().split("\0"):
        source = PROJECT / name
        if name and source.exists():  # one that was removed is still listed
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, tree / name, follow_symlinks=False)


def install(tree: Path) -> None:
    """Do what installing does: generate the cffi module, place commands/, make a launcher."""
    done = subprocess.run(
        [sys.executable, "-c", GENERATE.format("bpfctl/kernel/_cffi.py")],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise VmError(f"setup.py cannot generate the cffi module:\n{done.stderr[-2000:]}")
    (tree / "bpfctl" / "commands").symlink_to("../commands")
    launcher = tree / OWN / "bin" / "bpfctl"
    launcher.parent.mkdir(parents=True)
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)
    project = tomllib.loads((tree / "pyproject.toml").read_text())["project"]
    metadata = tree / OWN / f"{project['name']}-{project['version']}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )


def exports(settings: Mapping[str, str]) -> str:
    """Return shell text that sets environment variables."""
    return "".join(f"export {name}={shlex.quote(text)}\n" for name, text in settings.items())


def shell_text(words: Sequence[str]) -> str:
    """Return a command as shell text; a single word is shell text already, as with ssh."""
    return words[0] if len(words) == 1 else shlex.join(words)
