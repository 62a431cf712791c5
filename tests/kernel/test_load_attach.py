"""`prog loadall --attach`: all that sections say is attached, or nothing is left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.elf.reader import read_object
from bpfctl.elf.sections import parse_section_name
from bpfctl.errors import SectionNameError
from bpfctl.loader.attach import attach_all
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from bpfctl.objects.binary_places import binary_path
from bpfctl.objects.link import links
from bpfctl.objects.map import Map
from bpfctl.plain import replace
from tests.cli.runner import Done, in_process
from tests.kernel import needs
from tests.kernel.probed import call_libc, fork, unlink

if TYPE_CHECKING:
    from collections.abc import Callable

OBJECT = str(Path(__file__).parent.parent / "data" / "attachable.bpf.o")


def runs(place: Path) -> int:
    """Return how often the programs ran, from the map pinned there."""
    from bpfctl.objects.ids import ObjectKind
    from bpfctl.objects.pin import open_pin

    (counter,) = place.glob("*_bss")
    _, fd = open_pin(str(counter), ObjectKind.MAP)
    with fd:
        return int.from_bytes(Map(fd).lookup(bytes(4)), "little")


def loadall(place: Path, *words: str) -> Done:
    return in_process("-j", "prog", "loadall", OBJECT, str(place), "pinmaps", f"{place}-m", *words)


@pytest.mark.parametrize("word", ["--attach", "autoattach"])
def test_links_are_pinned_in_place_of_programs(word: str, bpffs: Path) -> None:
    done = loadall(bpffs / "all", word)
    assert done.status == 0
    assert done.err == (
        'bpfctl: program pass is pinned only: section "xdp" does not say what to attach to\n'
    )
    told = {one["name"]: one for one in done.json["programs"]}
    assert {name: one["pinned"] for name, one in told.items()} == {
        "on_fork": None,
        "on_typed_fork": None,
        "pass": f"{bpffs}/all/pass",
    }
    for name in ("on_fork", "on_typed_fork"):
        link = told[name]["link"]
        assert link["attached_to"] == "sched_process_fork"
        shown: Any = in_process("-j", "link", "show", link["pinned"]).json
        assert (shown["id"], shown["prog_id"]) == (link["id"], told[name]["id"])
    before = runs(bpffs / "all-m")
    fork()
    assert runs(bpffs / "all-m") >= before + 2


def test_one_program(bpffs: Path) -> None:
    words = ("--program", "on_typed_fork", "autoattach")
    done = in_process("-j", "prog", "load", OBJECT, f"{bpffs}/link", *words)
    assert done.status == 0
    shown = in_process("-j", "link", "show", f"{bpffs}/link").json
    assert shown["attached_to"] == "sched_process_fork"


def test_without_the_word_nothing_is_attached(bpffs: Path) -> None:
    done = loadall(bpffs / "all")
    assert (done.status, done.err) == (0, "")
    assert [one.get("link") for one in done.json["programs"]] == [None] * 3


def test_one_that_cannot_be_attached_fails_all(bpffs: Path) -> None:
    before = {info.id for info in links()}
    words = ("--only", "on_fork", "--only", "on_nothing", "--attach")
    done = loadall(bpffs / "all", *words)
    error = done.json["error"]
    assert (done.status, error["code"]) == (3, "no-such-tracepoint")
    assert (error["operation"], error["program"]) == ("prog-loadall", "on_nothing")
    assert error["object"] == OBJECT
    assert 'it is in section "?raw_tp/sched_process_frok"' in error["evidence"]
    assert "sched_process_fork" in error["remedy"]
    assert list(bpffs.iterdir()) == []
    ours = [info for info in links() if info.id not in before and info.details is not None]
    assert [info for info in ours if getattr(info.details, "name", "") == "on_fork"] == []


def test_where_a_function_was_looked_for_is_told(bpffs: Path) -> None:
    error = loadall(bpffs / "all", "--only", "on_no_function", "--attach").json["error"]
    assert (error["code"], error["object"]) == ("no-such-function", OBJECT)
    assert error["evidence"] == [
        f"looked for in {binary_path('libc.so.6')}",
        'it is in section "?uprobe/libc.so.6:no_such_function"',
    ]


def test_a_section_with_half_a_target_fails() -> None:
    """It is said on reading, and no reason to call a command done that was asked to attach."""
    spec = read_object(OBJECT)
    section = parse_section_name("raw_tp/")
    programs = [replace(one, section=section) for one in spec.programs if one.name == "on_fork"]
    with (
        load(replace(spec, programs=tuple(programs)), LoadOptions()) as loaded,
        pytest.raises(SectionNameError, match='section "raw_tp/" lacks its target') as caught,
    ):
        attach_all(loaded)
    assert (caught.value.program, caught.value.subject) == ("on_fork", OBJECT)


def test_keep_going(bpffs: Path) -> None:
    words = ("--only", "on_fork", "--only", "on_nothing", "--only", "on_no_function")
    done = loadall(bpffs / "all", *words, "--attach", "--keep-going")
    error = done.json["error"]
    assert (done.status, error["code"]) == (1, "attach-incomplete")
    assert error["message"] == "2 of 3 programs could not be attached"
    assert [line.partition(":")[0] for line in error["evidence"]] == [
        "on_nothing", "on_no_function",
    ]  # fmt: skip
    assert sorted(one.name for one in (bpffs / "all").iterdir()) == [
        "on_fork", "on_no_function", "on_nothing",
    ]  # fmt: skip
    assert in_process("-j", "link", "show", f"{bpffs}/all/on_fork").status == 0
    assert in_process("-j", "prog", "show", "pinned", f"{bpffs}/all/on_nothing").status == 0


@needs.PERF_LINK
@pytest.mark.parametrize(
    ("name", "act", "least"),
    [
        pytest.param("on_event", fork, 1, id="tracepoint"),
        pytest.param("on_a64l", call_libc, 1, marks=needs.UPROBE, id="uprobe"),
        pytest.param("after_a64l", call_libc, 1, marks=needs.UPROBE, id="uretprobe"),
        pytest.param("on_many", call_libc, 1, marks=needs.UPROBE_MULTI, id="uprobe.multi"),
        pytest.param("on_unlink", unlink, 1, marks=needs.KPROBE, id="kprobe"),
        pytest.param("after_unlink", unlink, 1, marks=needs.KPROBE, id="kretprobe"),
        pytest.param("on_syscall", unlink, 1, marks=needs.KPROBE, id="ksyscall"),
        pytest.param("on_unlinks", unlink, 1, marks=needs.KPROBE_MULTI, id="kprobe.multi"),
    ],
)
def test_kinds(name: str, act: Callable[[], None], least: int, bpffs: Path) -> None:
    done = loadall(bpffs / "all", "--only", name, "--attach")
    assert done.status == 0, done.out
    act()
    assert runs(bpffs / "all-m") >= least


def test_an_iterator_is_a_file_to_read(bpffs: Path) -> None:
    path = OBJECT.replace("attachable", "iter_task")
    assert in_process("prog", "loadall", path, f"{bpffs}/all", "--attach") == Done(0, "", "")
    (place,) = (bpffs / "all").iterdir()
    assert place.read_text()


@needs.KPROBE
def test_a_kernel_without_perf_links_says_so(bpffs: Path) -> None:
    done = loadall(bpffs / "all", "--only", "on_unlink", "--attach")
    if needs.verdicts()["link perf_event"].available:
        assert done.status == 0
        return
    error = done.json["error"]
    assert (done.status, error["code"], error["program"]) == (
        5, "link-kind-unsupported", "on_unlink",
    )  # fmt: skip
    assert list(bpffs.iterdir()) == []
