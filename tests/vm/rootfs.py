"""The root file system that all kernels share: a small Debian and what the tests import."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tests.vm import apt, images
from tests.vm.cache import built, cache, locked
from tests.vm.errors import LastingError, VmError, patiently
from tests.vm.tools import run

PROJECT = Path(__file__).parent.parent.parent
SUITE, PYTHON = "bookworm", "3.11"
PACKAGES = (
    *("bpftool", "busybox-static", "iproute2", "jq", "kmod", "libcap2-bin", "procps"),
    *("python3", "python3-venv", "strace", "util-linux"),
)
PLATFORMS = ("manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64")
ELSEWHERE = ("import-linter", "mypy", "ruff", "types-")  # checks that no kernel changes
MOUNT_POINTS = ("project", "lib/modules", "sys/fs/bpf")
VENV = "/opt/venv"
SPARE = 512 * images.MIB
LAYOUT = 1  # raise it when what is done here changes in a way that the words above do not show


@dataclass(frozen=True)
class Root:
    """The root in the cache."""

    place: Path

    @property
    def image(self) -> Path:
        """Its file system."""
        return self.place / "root.img"

    @property
    def busybox(self) -> Path:
        """Its statically linked busybox, for the initramfs."""
        return self.place / "busybox"


def root() -> Root:
    """Return the root, built when it is missing or was built of something else.

    Raises: VmError, also when it must be built and we are not root.
    """
    words = requirements()
    recipe = json.dumps([LAYOUT, SUITE, PACKAGES, words])
    place = cache() / f"root-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    with locked("root"):
        if not place.is_dir():
            patiently("build the root file system", lambda: _build(place, words))
    return Root(place)


def requirements() -> list[str]:
    """Return what pip installs for bpfctl and the tests that run inside."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    words = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    return sorted(word for word in words if not word.startswith(ELSEWHERE))


def _build(place: Path, words: list[str]) -> None:
    if os.geteuid() != 0:
        message = "the root file system must be built once, and debootstrap needs root for it"
        raise LastingError(message)
    print("tests.vm: building the root file system, once; this takes some minutes", flush=True)
    with built(place) as work:
        tree = work / "tree"
        keyring = [f"--keyring={apt.KEYRING}"] if apt.KEYRING.exists() else []
        run(
            *("debootstrap", "--variant=minbase", *keyring, f"--include={','.join(PACKAGES)}"),
            *(SUITE, str(tree), apt.archives()[apt.DEBIAN]),
        )
        for name in MOUNT_POINTS:
            (tree / name).mkdir(parents=True, exist_ok=True)
        _install(tree, words)
        (work / "busybox").write_bytes((tree / "bin/busybox").read_bytes())
        run("rm", "-rf", str(tree / "var/cache/apt"), str(tree / "var/lib/apt/lists"))
        images.make(tree, work / "root.img", spare_bytes=SPARE)
        run("rm", "-rf", str(tree))


def _install(tree: Path, words: list[str]) -> None:
    """Fetch wheels with our pip, for their Python, and install them with theirs."""
    wheels = tree / "wheels"
    platforms = [f"--platform={name}" for name in PLATFORMS]
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "-q", "-d", str(wheels)),
            *("--only-binary=:all:", f"--python-version={PYTHON}", *platforms, *words),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise VmError(f"pip cannot fetch the tests' dependencies: {done.stderr.strip()}")
    run("chroot", str(tree), "python3", "-m", "venv", VENV)
    run(
        *("chroot", str(tree), f"{VENV}/bin/pip", "install", "-q", "--no-index"),
        *("--find-links=/wheels", *words),
    )
    run("rm", "-rf", str(wheels))
