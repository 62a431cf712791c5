"""`prog load`, `loadall`, `show` and `pin` as a person or a script runs them."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.kernel import bpf
from bpfctl.kernel.uapi import AttachType, Cmd
from bpfctl.objects.pin import id_of, open_pin
from tests.cli.runner import Done, in_process
from tests.kernel import needs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def below(place: Path) -> list[str]:
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))


def pinned_id(path: Path) -> int:
    kind, fd = open_pin(str(path))
    with fd:
        return id_of(kind, fd)


def test_success_is_quiet(data: Path, bpffs: Path) -> None:
    done = in_process(
        "prog", "loadall", str(data / "core.bpf.o"), str(bpffs / "p"), "pinmaps", str(bpffs / "m")
    )
    assert done == Done(0, "", "")
    assert below(bpffs) == ["m", "m/core_bss", "m/core_rodata", "p", "p/use_core"]


def test_json_tells_what_is_where(data: Path, bpffs: Path) -> None:
    progs, maps = bpffs / "p", bpffs / "m"
    done = in_process(
        "-j", "prog", "loadall", str(data / "core.bpf.o"), str(progs), "pinmaps", str(maps)
    )
    entries = [("core.bss", maps / "core_bss"), ("core.rodata", maps / "core_rodata")]
    assert sorted(done.json.pop("maps"), key=lambda one: one["name"]) == [
        {"id": pinned_id(path), "name": name, "pinned": str(path)} for name, path in entries
    ]
    assert json.loads(done.out)["programs"] == [
        {"id": pinned_id(progs / "use_core"), "name": "use_core", "pinned": f"{progs}/use_core"}
    ]


def test_maps_without_a_program_can_be_pinned(data: Path, bpffs: Path) -> None:
    words = ("prog", "loadall", str(data / "only_maps.bpf.o"), str(bpffs / "p"))
    assert in_process("-j", *words).json["error"]["code"] == "no-program"
    assert below(bpffs) == []
    assert in_process(*words, "pinmaps", str(bpffs / "m")) == Done(0, "", "")
    assert below(bpffs) == ["m", "m/for_others", "p"]


@needs.RAW_COOKIE  # the program asks for its cookie
def test_types_of_another_kernel_are_for_core_alone(data: Path, bpffs: Path) -> None:
    other = str(data / "xdp_pass.bpf.o")  # has types, but not the kernel's
    words = ("prog", "loadall", str(data / "cookies.bpf.o"), str(bpffs / "p"))
    assert in_process(*words, "kernel_btf", other, "--only", "on_tp_btf") == Done(0, "", "")


def test_load_takes_the_first_program(data: Path, bpffs: Path) -> None:
    done = in_process("-j", "prog", "load", str(data / "sections.bpf.o"), str(bpffs / "one"))
    assert [one["name"] for one in done.json["programs"]] == ["first"]
    assert below(bpffs) == ["one"]


def test_load_takes_the_program_that_is_named(data: Path, bpffs: Path) -> None:
    words = ("--program", "not_by_itself")
    done = in_process(
        "-j", "prog", "load", str(data / "sections.bpf.o"), str(bpffs / "one"), *words
    )
    assert [one["name"] for one in done.json["programs"]] == ["not_by_itself"]


def test_a_rejection_ends_in_6_with_the_place_and_the_whole_log(data: Path, bpffs: Path) -> None:
    words = ("prog", "load", str(data / "null_check.bpf.o"), str(bpffs / "x"))
    plain, error = in_process(*words), in_process("-j", *words).json["error"]
    first = plain.err.splitlines()[0]
    assert plain.status == 6
    assert first.endswith("program careless: rejected: R0 may be NULL here")
    assert f"null_check.bpf.c:{error['line']}    return (int)*value;" in plain.err
    assert {key: error[key] for key in ("code", "file", "program", "errno", "log_truncated")} == {
        "code": "verifier-null-check-missing",
        "file": "null_check.bpf.c",
        "program": "careless",
        "errno": "EACCES",
        "log_truncated": False,
    }
    assert f"\n{error['insn']}: (79)" in error["log"]
    assert below(bpffs) == []


@pytest.mark.explains("core-relocation-unresolved")
def test_a_member_no_kernel_has_is_named(data: Path, bpffs: Path) -> None:
    path = str(data / "core_gone.bpf.o")
    error = in_process("-j", "prog", "loadall", path, str(bpffs / "x")).json["error"]
    assert (error["code"], error["program"]) == ("core-relocation-unresolved", "unguarded")
    assert error["message"] == (
        "program unguarded: rejected: "
        "nothing in this kernel fits struct task_struct___gone.tgidd (0:0)"
    )
    assert 'the kernel\'s struct task_struct has no member "tgidd"' in error["evidence"]
    assert error["remedy"].startswith("did you mean tgid? If not, guard the access")
    assert below(bpffs) == []


def test_code_behind_a_check_for_a_member_loads(data: Path, bpffs: Path) -> None:
    words = ("--only", "guarded")
    done = in_process("prog", "loadall", str(data / "core_gone.bpf.o"), str(bpffs / "x"), *words)
    assert done == Done(0, "", "")
    assert below(bpffs) == ["x", "x/guarded"]


def test_programs_are_left_out_and_maps_sized(data: Path, bpffs: Path) -> None:
    words = ("--skip", "summer", "--set-max-entries", "numbers=9", "pinmaps", str(bpffs / "m"))
    path = str(data / "subprogs.bpf.o")
    done = in_process("prog", "loadall", path, str(bpffs / "p"), *words)
    assert done == Done(0, "", "")
    assert below(bpffs) == ["m", "m/numbers", "p", "p/caller"]
    assert in_process("-j", "map", "show", str(bpffs / "m/numbers")).json["max_entries"] == 9


def test_a_loaded_map_takes_the_place_of_one_of_the_objects(data: Path, bpffs: Path) -> None:
    path, maps = str(data / "subprogs.bpf.o"), bpffs / "m"
    first = ("prog", "load", path, str(bpffs / "one"), "--program", "caller", "pinmaps", str(maps))
    assert in_process(*first).status == 0
    for number, which in enumerate((("idx", "0"), ("name", "numbers"))):
        words = ("map", *which, "pinned", str(maps / "numbers"), "pinmaps", f"{bpffs}/m{number}")
        place = str(bpffs / f"p{number}")
        done = in_process("prog", "load", path, place, *words, "--program", "caller")
        assert done == Done(0, "", "")
        assert pinned_id(bpffs / f"m{number}/numbers") == pinned_id(maps / "numbers")


def without_types(cmd: int, union: Any, size: int) -> int:
    """Answer as a kernel that takes no types at all, and else as the running one."""
    return -errno.EINVAL if cmd == Cmd.BTF_LOAD else bpf._enter_kernel(cmd, union, size)


def test_a_kernel_that_refuses_the_types_loads_without_them(data: Path, bpffs: Path) -> None:
    path = str(data / "globals.bpf.o")
    with bpf.replaced(without_types):
        done = in_process("prog", "loadall", path, str(bpffs / "p"))
    assert (done.status, done.out) == (0, "")
    words = "the kernel refuses the object's types, which go without: EINVAL"
    assert done.err == f"bpfctl: {path}: {words}\n"
    assert below(bpffs) == ["p", "p/use_globals"]
    assert in_process("-j", "prog", "show", str(bpffs / "p/use_globals")).json.get("btf_id") is None


def test_a_type_on_the_line_counts_more_than_the_section(data: Path, bpffs: Path) -> None:
    path = str(data / "bad_xdpomg.bpf.o")
    assert in_process("prog", "load", path, str(bpffs / "x")).status == 1
    assert in_process("prog", "load", path, str(bpffs / "x"), "type", "xdp") == Done(0, "", "")
    assert in_process("-j", "prog", "show", str(bpffs / "x")).json["type"] == "xdp"


def without_trampolines(cmd: int, union: Any, size: int) -> int:
    """Answer as a kernel that refuses trampolines (some do), and else as the running one."""
    if cmd == Cmd.PROG_LOAD and union.expected_attach_type == AttachType.TRACE_FENTRY:
        return -errno.EPERM
    return bpf._enter_kernel(cmd, union, size)


@pytest.mark.explains("eperm-trampoline-refused")
def test_eperm_for_a_trampoline_is_explained(data: Path, bpffs: Path) -> None:
    words = ("prog", "loadall", str(data / "fentry.bpf.o"), str(bpffs / "x"))
    with bpf.replaced(without_trampolines):
        done = in_process("-j", *words)
    error = done.json["error"]
    assert (done.status, error["code"], error["program"]) == (
        4,
        "eperm-trampoline-refused",
        "on_unlink",
    )
    assert "an iterator loads" in error["evidence"][0]
    assert below(bpffs) == []


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        pytest.param([], 2, "expected OBJ PATH", id="nothing"),
        pytest.param(["OBJ"], 2, "expected OBJ PATH", id="no path"),
        pytest.param(["OBJ", "PIN", "pinmaps"], 2, "wants a directory", id="no directory"),
        pytest.param(["OBJ", "PIN", "pinmops", "x"], 2, "one word too many", id="no such word"),
        pytest.param(["OBJ", "PIN", "type", "xpd"], 2, "is no program type", id="type"),
        pytest.param(["OBJ", "PIN", "map", "name", "x", "1"], 3, "called x", id="map"),
        pytest.param(["OBJ", "PIN", "--set-max-entries", "x=1"], 3, "called x", id="size"),
        pytest.param(["OBJ", "PIN", "dev", "nodev0"], 3, "no network device nodev0", id="device"),
        pytest.param(["OBJ", "PIN", "--log-size", "5"], 2, "log size 5", id="log size"),
        pytest.param(["OBJ", "PIN", "--program", "nobody"], 3, "called nobody", id="no program"),
        pytest.param(["GONE", "PIN"], 1, "no such file", id="no file"),
        pytest.param(["OBJ", "ELSEWHERE"], 1, "on no bpf file system", id="elsewhere"),
    ],
)
def test_what_load_refuses(
    words: list[str], status: int, message: str, data: Path, bpffs: Path, tmp_path: Path
) -> None:
    places = {
        "OBJ": str(data / "xdp_pass.bpf.o"),
        "PIN": str(bpffs / "x"),
        "GONE": str(data / "gone.bpf.o"),
        "ELSEWHERE": str(tmp_path / "x"),
    }
    done = in_process("prog", "load", *(places.get(word, word) for word in words))
    assert (done.status, done.out) == (status, "")
    assert message in done.err.splitlines()[0]
    assert below(bpffs) == []


@pytest.mark.parametrize(
    "words", [("--skip", "pass"), ("--only", "pass", "--skip", "pass")], ids=["all", "the only one"]
)
def test_a_load_of_nothing_is_no_success(words: tuple[str, ...], data: Path, bpffs: Path) -> None:
    done = in_process("prog", "loadall", str(data / "xdp_pass.bpf.o"), f"{bpffs}/x", *words)
    assert done.status == 2
    assert "every program is left out by --skip" in done.err
    assert below(bpffs) == []


def test_a_log_on_request_is_talk_and_not_data(data: Path, bpffs: Path) -> None:
    words = ("--log-level", "4")
    done = in_process("prog", "load", str(data / "xdp_pass.bpf.o"), str(bpffs / "x"), *words)
    assert (done.status, done.out) == (0, "")
    assert "verifier log of " in done.err
    assert "processed 2 insns" in done.err


# What changes while nothing changes, and what only one of the two tools tells.
_OURS = {"verified_insns", "attach_btf_obj_id", "attach_btf_id", "pids", "pinned"}


@pytest.mark.parametrize(
    "name",
    [
        "core",
        "globals",
        "maps",
        pytest.param("user", marks=needs.ATOMICS),
    ],
)
def test_show_has_the_fields_of_bpftool(
    name: str, data: Path, bpffs: Path, bpftool: Callable[..., Any]
) -> None:
    done = in_process("prog", "loadall", str(data / f"{name}.bpf.o"), str(bpffs / "p"))
    assert done.status == 0, done.err
    for pin in (bpffs / "p").iterdir():
        ours = in_process("-j", "prog", "show", "pinned", str(pin)).json
        theirs = bpftool("prog", "show", "pinned", str(pin))
        assert ours["pinned"] == [str(pin)]
        assert {key: value for key, value in ours.items() if key not in _OURS} == {
            key: value for key, value in theirs.items() if key not in _OURS
        }


@needs.ATOMICS
def test_show_lists_and_chooses(data: Path, bpffs: Path) -> None:
    in_process("prog", "loadall", str(data / "user.bpf.o"), str(bpffs / "p"))
    numbers = {path.name: pinned_id(path) for path in (bpffs / "p").iterdir()}
    listed = {one["id"]: one for one in in_process("-j", "prog", "show").json}
    assert set(numbers.values()) <= set(listed)
    for name, number in numbers.items():
        one = in_process("-j", "prog", "show", str(number)).json
        assert (one["id"], one["name"]) == (number, name)
    table = in_process("prog").out.splitlines()
    assert table[0].split()[:4] == ["ID", "TYPE", "NAME", "TAG"]
    assert any(str(bpffs / "p" / "on_demand") in line for line in table)


def test_show_of_what_is_not_there() -> None:
    done = in_process("-j", "prog", "show", "id", "4294967295")
    assert (done.status, done.json["error"]["code"]) == (3, "not-found")


def test_a_program_is_pinned_a_second_time(data: Path, bpffs: Path) -> None:
    in_process("prog", "load", str(data / "xdp_pass.bpf.o"), str(bpffs / "one"))
    done = in_process("prog", "pin", "pinned", str(bpffs / "one"), str(bpffs / "two"))
    assert done == Done(0, "", "")
    assert pinned_id(bpffs / "one") == pinned_id(bpffs / "two")
    again = in_process("-j", "prog", "pin", str(bpffs / "one"), str(bpffs / "two"))
    assert (again.status, again.json["error"]["operation"]) == (1, "prog-pin")


def test_pin_wants_a_place() -> None:
    done = in_process("prog", "pin", "id", "1")
    assert (done.status, done.err.splitlines()[0]) == (
        2,
        "bpfctl: where to? expected PROG PATH",
    )
