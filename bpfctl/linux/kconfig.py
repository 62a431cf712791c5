"""The configuration that the running kernel was built with."""

from __future__ import annotations

from bpfctl.linux.version import kernel_release
from bpfctl.plain import plain

# Generous: Debian's is 280 kB. The file may be anything in a container.
_LIMIT_BYTES = 16 << 20
_HEADER_LINES = 5


@plain
class KernelConfig:
    """Options by name ("CONFIG_BPF"), and the file they were read from.

    An option that is not set is absent from `options`. `strings` names those whose value is a
    string, in quotes in the file: "y" in quotes is no y. `release` is the kernel it is for, as the
    file's first lines have it; "" where they do not.
    """

    source: str
    options: dict[str, str]
    strings: frozenset[str] = frozenset()
    release: str = ""

    def get(self, name: str) -> str | None:
        """Return "y", "m", a number or a string without its quotes; None where it is not set."""
        return self.options.get(name)


def parse_config(text: str, source: str = "") -> KernelConfig:
    """Read the text of a .config file."""
    options, strings = {}, set()
    for line in text.splitlines():
        name, equals, value = line.partition("=")
        if equals and name.startswith("CONFIG_"):
            value = value.strip()
            options[name] = value.strip('"')
            if value.startswith('"'):
                strings.add(name)
    return KernelConfig(source, options, frozenset(strings), _release(text))


def _release(text: str) -> str:
    """The version in the second of the lines that `make config` begins a file with."""
    for line in text.splitlines()[:_HEADER_LINES]:
        words = line.split()
        if line.startswith("# Linux/") and line.endswith("Kernel Configuration"):
            return words[2]
    return ""


def config_paths(release: str) -> list[str]:
    """Return where distributions keep the configuration, in the order we look."""
    return [
        "/proc/config.gz",
        f"/boot/config-{release}",
        f"/lib/modules/{release}/config",
        f"/lib/modules/{release}/build/.config",
    ]


def kernel_config(paths: list[str] | None = None) -> KernelConfig | None:
    """Return the running kernel's configuration, or None where no file tells it.

    The first file of `paths` that can be read counts; one whose name ends in .gz is unpacked.
    """
    for path in config_paths(kernel_release()) if paths is None else paths:
        text = _read(path)
        if text is not None:
            return parse_config(text, path)
    return None


def _read(path: str) -> str | None:
    import gzip  # most who import this module have nothing to look up
    import zlib

    try:
        with open(path, "rb") as raw:
            if not path.endswith(".gz"):
                return raw.read(_LIMIT_BYTES).decode(errors="replace")
            with gzip.open(raw) as unpacked:
                return unpacked.read(_LIMIT_BYTES).decode(errors="replace")
    except (OSError, EOFError, zlib.error):
        return None
