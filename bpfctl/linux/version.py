"""The version of the running kernel."""

from __future__ import annotations

import os


def parse_release(release: str) -> tuple[int, int, int]:
    """Return (6, 18, 44) for "6.18.44-cloud"; missing and unreadable parts are 0."""
    numbers = []
    for part in release.split("-")[0].split("+")[0].split(".")[:3]:
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        numbers.append(int(digits) if digits else 0)
    major, minor, patch = (*numbers, 0, 0, 0)[:3]
    return major, minor, patch


def kernel_release() -> str:
    """Return the running kernel's release, as uname -r prints it."""
    return os.uname().release


def kernel_version(signature: str = "/proc/version_signature") -> tuple[int, int, int]:
    """Return major, minor and patch level of the running kernel.

    Ubuntu's release says 5.15.0 for every patch level; the last word of /proc/version_signature
    has the real one ("Ubuntu 5.15.0-91.101-generic 5.15.131"). Debian's says 6.1.0, and its build
    has the real one ("#1 SMP Debian 6.1.192-1 (2026-01-02)").
    """
    try:
        with open(signature) as file:
            words = file.read().split()
    except OSError:
        return parse_release(debian_release(os.uname().version) or kernel_release())
    return parse_release(words[-1] if words else kernel_release())


def debian_release(build: str) -> str | None:
    """Return the release in the build of a Debian kernel (uname -v); None in any other."""
    _, debian, rest = build.partition("Debian ")
    return rest.split(maxsplit=1)[0] if debian and rest[:1].isdigit() else None


def kernel_version_code(version: tuple[int, int, int] | None = None) -> int:
    """Return LINUX_VERSION_CODE of a version (default: the running kernel's).

    Old kernels compare `kern_version` of kprobe programs with it. The patch level has one byte
    and stays at 255 above (Makefile of Linux 4.14.255 and later).
    """
    major, minor, patch = version or kernel_version()
    return (major << 16) | (minor << 8) | min(patch, 255)
