"""Readers of /proc and /sys, on texts as kernels write them."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from bpfctl.kernel import lsm
from bpfctl.linux.caps import Capability, has_capability, in_initial_user_namespace
from bpfctl.linux.caps import missing_capabilities as missing
from bpfctl.linux.kconfig import KernelConfig, kernel_config, parse_config
from bpfctl.linux.security import active_lsms, lockdown_mode, perf_event_paranoid
from bpfctl.linux.sysctl import read_sysctl
from bpfctl.linux.version import kernel_version, kernel_version_code, parse_release

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        pytest.param("6.18.44-fc-v669", (6, 18, 44), id="three-parts"),
        pytest.param("7.3.4+deb13-cloud-amd64", (7, 3, 4), id="debian-backport"),
        pytest.param("6.1-rc3", (6, 1, 0), id="release-candidate"),
        pytest.param("6.x", (6, 0, 0), id="letters"),
        pytest.param("", (0, 0, 0), id="empty"),
    ],
)
def test_parse_release(release: str, expected: tuple[int, int, int]) -> None:
    assert parse_release(release) == expected


def test_ubuntu_signature_beats_uname(tmp_path: Path) -> None:
    signature = tmp_path / "version_signature"
    signature.write_text("Ubuntu 5.15.0-91.101-generic 5.15.131\n")
    assert kernel_version(str(signature)) == (5, 15, 131)


def test_version_code_stops_at_255() -> None:
    assert kernel_version_code((4, 14, 300)) == 0x040EFF
    assert kernel_version_code((6, 18, 44)) == 0x06122C


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        pytest.param("000001ffffffffff", [], id="root"),
        pytest.param(
            "0000000000000000",
            ["CAP_NET_ADMIN", "CAP_SYS_RESOURCE", "CAP_SYS_ADMIN", "CAP_PERFMON", "CAP_BPF"],
            id="nobody",
        ),
        pytest.param(
            "0000000000200000", ["CAP_NET_ADMIN", "CAP_SYS_RESOURCE"], id="sys-admin-stands-in"
        ),
    ],
)
def test_missing_capabilities(tmp_path: Path, mask: str, expected: list[str]) -> None:
    status = tmp_path / "status"
    status.write_text(f"Name:\tcat\nCapEff:\t{mask}\n")
    assert missing(str(status)) == expected


def test_capabilities_unknown(tmp_path: Path) -> None:
    assert has_capability(Capability.BPF, str(tmp_path / "absent")) is None
    (tmp_path / "status").write_text("Name:\tcat\n")
    assert has_capability(Capability.BPF, str(tmp_path / "status")) is None


def test_initial_user_namespace(tmp_path: Path) -> None:
    uid_map = tmp_path / "uid_map"
    uid_map.write_text("         0          0 4294967295\n")
    assert in_initial_user_namespace(str(uid_map)) is True
    uid_map.write_text("         0       1000          1\n")
    assert in_initial_user_namespace(str(uid_map)) is False
    assert in_initial_user_namespace(str(tmp_path / "absent")) is None


def test_lockdown_and_lsms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lockdown").write_text("none [integrity] confidentiality\n")
    assert lockdown_mode(str(tmp_path / "lockdown")) == "integrity"
    (tmp_path / "lockdown").write_text("strange\n")
    assert lockdown_mode(str(tmp_path / "lockdown")) is None
    assert lockdown_mode(str(tmp_path / "absent")) is None
    (tmp_path / "lsm").write_text("lockdown,capability,landlock,bpf")
    assert active_lsms(str(tmp_path / "lsm")) == ["lockdown", "capability", "landlock", "bpf"]
    monkeypatch.setattr(lsm, "list_modules", lambda: ["yama"])
    assert active_lsms(str(tmp_path / "absent")) == ["yama"]


def test_sysctl(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel/one").write_text("2\n")
    (tmp_path / "kernel/words").write_text("always\n")
    assert read_sysctl("kernel/one", str(tmp_path)) == 2
    assert read_sysctl("kernel/words", str(tmp_path)) is None
    assert read_sysctl("kernel/absent", str(tmp_path)) is None


CONFIG = 'CONFIG_BPF=y\n# CONFIG_KPROBES is not set\nCONFIG_LSM="landlock,bpf"\nCONFIG_HZ=250\n'
OPTIONS = {"CONFIG_BPF": "y", "CONFIG_LSM": "landlock,bpf", "CONFIG_HZ": "250"}


@pytest.mark.parametrize(
    ("head", "release"),
    [
        pytest.param("# Linux/x86 6.1.176 Kernel Configuration", "6.1.176", id="as make writes it"),
        pytest.param("# Linux kernel version: 2.6", "", id="otherwise"),
        pytest.param("CONFIG_A=y\n" * 9 + "# Linux/x86 6.1.1 Kernel Configuration", "", id="late"),
    ],
)
def test_the_kernel_a_configuration_is_for(head: str, release: str) -> None:
    assert parse_config(f"#\n{head}\n").release == release


def test_parse_config() -> None:
    config = parse_config(CONFIG, "here")
    assert config == KernelConfig("here", OPTIONS, frozenset({"CONFIG_LSM"}))


def test_config_from_the_first_file_that_tells(tmp_path: Path) -> None:
    packed, plain = tmp_path / "config.gz", tmp_path / "config"
    packed.write_bytes(gzip.compress(CONFIG.encode())[:20])  # cut off: as good as absent
    plain.write_text(CONFIG)
    config = kernel_config([str(tmp_path / "absent"), str(packed), str(plain)])
    assert config is not None
    assert (config.source, config.options) == (str(plain), OPTIONS)
    assert config.get("CONFIG_KPROBES") is None
    packed.write_bytes(gzip.compress(CONFIG.encode()))
    config = kernel_config([str(packed), str(plain)])
    assert config is not None
    assert (config.source, config.options) == (str(packed), OPTIONS)


def test_no_config(tmp_path: Path) -> None:
    assert kernel_config([str(tmp_path / "absent")]) is None


@pytest.mark.parametrize(("text", "level"), [("3\n", 3), ("-1\n", -1), ("", None)])
def test_who_may_open_perf_events(tmp_path: Path, text: str, level: int | None) -> None:
    (tmp_path / "level").write_text(text)
    assert perf_event_paranoid(str(tmp_path / "level")) == level
    assert perf_event_paranoid(str(tmp_path / "absent")) is None
