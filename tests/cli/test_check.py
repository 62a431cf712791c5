"""`check`: words, tables, JSON and exit status, on kernels given by files."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.builders.btf import DATA
from tests.cli.runner import in_process, run
from tests.unit.check.given import kernel_btf

if TYPE_CHECKING:
    from pathlib import Path

XDP = str(DATA / "xdp_pass.bpf.o")
KCONFIG = str(DATA / "kconfig.bpf.o")
RAW_TP = str(DATA / "raw_tp.bpf.o")
NEWEST = DATA / "uapi-7.3.btf"


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    """A directory with two kernels: one in a file, one with a configuration beside its types."""
    (tmp_path / "old").write_bytes(kernel_btf().data)
    (tmp_path / "new").mkdir()
    shutil.copy(NEWEST, tmp_path / "new" / "vmlinux")
    (tmp_path / "new" / "config").write_text("CONFIG_BPF_EVENTS=y\n")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_one_kernel() -> None:
    done = run("check", XDP, "--btf", str(NEWEST))
    assert (done.status, done.err) == (0, "")
    assert done.out == (
        f"{XDP} on uapi-7.3.btf (at least Linux 7.2): nothing that it needs is missing\n  1 found\n"
    )


def test_what_is_missing(kernels: Path) -> None:
    done = run("check", RAW_TP, "--btf", str(kernels / "old"))
    assert (done.status, done.err) == (6, "")
    head, counts, columns, first, *_ = done.out.splitlines()
    assert head == f"{RAW_TP} on old (at least Linux 5.10): would fail"
    assert counts == "  1 found, 2 missing"
    assert columns.split() == ["KIND", "NAME", "STATE", "WHY", "WHERE"]
    assert first.split("  ", 1)[0] == "program type"


def test_many_kernels(kernels: Path) -> None:
    done = run("check", RAW_TP, "--btf", str(kernels))
    assert (done.status, done.err) == (6, "")
    assert done.out.splitlines()[:5] == [
        f"{RAW_TP}: would fail on 2 of 2 kernels",
        "KIND           NAME                       new      old",
        "program type   raw_tracepoint             ok       missing",
        "attach target  raw_tp/sched_process_exec  missing  missing",
        "-              verdict                    fails    fails",
    ]
    assert "  old: program type raw_tracepoint: its enum bpf_prog_type has no 17" in done.out


def test_kernels_of_one_name(kernels: Path) -> None:
    """A vmlinux has the name of its directory; two of one name have their paths."""
    (kernels / "more" / "old").mkdir(parents=True)
    same = kernels / "more" / "old" / "vmlinux"
    shutil.copy(NEWEST, same)
    for paths, names in (
        ([kernels / "new" / "vmlinux", same], ["new", "old"]),
        ([kernels / "old", same], [str(kernels / "old"), str(same)]),
    ):
        words = [word for path in paths for word in ("--btf", str(path))]
        done = run("-j", "check", XDP, *words)
        assert [one["kernel"] for one in done.json] == names


def test_a_file_that_is_no_configuration() -> None:
    """Whether the object needs one or not."""
    done = run("check", XDP, "--btf", str(NEWEST), "--kernel-config", __file__)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(f"bpfctl: {__file__}: is no kernel configuration")


def test_json(kernels: Path) -> None:
    done = run("-j", "check", XDP, RAW_TP, "--btf", str(kernels / "old"))
    first, second = done.json
    assert done.status == 6
    assert (first["object"], first["kernel"], first["verdict"]) == (XDP, "old", "ok")
    assert first["findings"][0] == {
        "kind": "program type",
        "name": "xdp",
        "state": "found",
        "fails": None,
        "detail": None,
        "where": None,
        "programs": ["pass"],
    }
    assert (second["verdict"], second["age"]) == ("would fail", "at least Linux 5.10")
    assert [one["fails"] for one in second["findings"]] == ["load", "attach", None]


ALL = (
    "CONFIG_BPF_EVENTS=y\nCONFIG_NR_CPUS=64\nCONFIG_BPF_JIT=y\nCONFIG_HZ=250\nCONFIG_NET=y\n"
    'CONFIG_LOG_BUF_SHIFT=17\nCONFIG_BPF_SYSCALL=y\nCONFIG_CC_VERSION_TEXT="cc"\n'
)


@pytest.mark.parametrize(
    ("config", "status", "words"),
    [
        pytest.param(ALL, 0, "nothing that it needs is missing", id="all"),
        pytest.param("CONFIG_BPF_EVENTS=y\n", 6, "5 found, 6 guarded, 2 missing", id="not all"),
        pytest.param("", 1, "is no kernel configuration", id="empty"),
    ],
)
def test_configuration(tmp_path: Path, config: str, status: int, words: str) -> None:
    path = tmp_path / "config"
    path.write_text(config)
    done = in_process("check", KCONFIG, "--btf", str(NEWEST), "--kernel-config", str(path))
    assert done.status == status
    assert words in done.out + done.err


@pytest.mark.parametrize(
    ("words", "status", "error"),
    [
        pytest.param([], 2, "what is to be checked? expected an object file", id="nothing"),
        pytest.param(["/nowhere.o"], 1, "/nowhere.o: cannot read it", id="no object"),
        pytest.param([XDP, "--btf", "/nowhere"], 1, "/nowhere: cannot read it", id="no types"),
        pytest.param([XDP, "--btf", XDP.replace("xdp_pass.bpf.o", "usdt.bpf.o")], 0, "", id="any"),
    ],
)
def test_errors(words: list[str], status: int, error: str) -> None:
    done = run("check", *words)
    assert done.status == status
    assert done.err.startswith(f"bpfctl: {error}" if error else "")


def test_a_directory_without_kernels(kernels: Path) -> None:
    done = run("check", XDP, "--btf", str(kernels / "empty"))
    assert done.status == 1
    assert "has neither files of types nor directories with a vmlinux" in done.err


def test_rows(kernels: Path) -> None:
    words = ("check", XDP, "--btf", str(kernels / "old"), "--format")
    done = run(*words, "csv")
    assert done.status == 0
    assert done.out == (
        "object,kernel,kind,name,state,fails,detail,where,programs\n"
        f"{XDP},old,program type,xdp,found,,,,pass\n"
    )
    done = run(*words, "markdown")
    assert done.out == (
        "| object | kernel | kind | name | state | fails | detail | where | programs |\n"
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
        f"| {XDP} | old | program type | xdp | found |  |  |  | pass |\n"
    )


@pytest.mark.parametrize(
    ("words", "error"),
    [
        pytest.param(["--format", "html"], '"html" is no format', id="format"),
        pytest.param(["--max-regress", "much"], '"much" is no percentage', id="percentage"),
        pytest.param(["--baseline", "x"], "--baseline goes with --verify", id="baseline"),
        pytest.param(
            ["--verify", "--btf", "x"], "--verify is about the running kernel", id="other kernels"
        ),
    ],
)
def test_options_that_make_no_sense(words: list[str], error: str) -> None:
    done = run("check", XDP, *words)
    assert done.status == 2
    assert done.err.startswith(f"bpfctl: {error}")
