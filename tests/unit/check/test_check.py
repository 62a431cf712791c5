"""What a check says of objects on kernels made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.asm.insn import Insn, encode, ld_imm64
from bpfctl.btf import types as t
from bpfctl.btf.ext import CoreRelo
from bpfctl.check.check import check, subject_of
from bpfctl.check.finding import Kind, State
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import ExternSpec, MapSpec, ProgramSpec, Reloc, RelocKind
from bpfctl.kernel.uapi import MapType
from bpfctl.loader.kernel_btf import ModuleBtf
from bpfctl.loader.options import LoadOptions
from tests.builders.btf import parsed
from tests.unit.check.given import INT, VOID_PROTO, kernel_btf, target
from tests.unit.loader.objects import function, object_of

if TYPE_CHECKING:
    from pathlib import Path

    from bpfctl.btf.decode import Btf
    from bpfctl.check.finding import Finding
    from bpfctl.elf.spec import ObjectSpec

EXIT = Insn(0x95)
LOOP = Insn(0x85, imm=181)
RETURN = encode([Insn(0xB7), EXIT])
FOUND, GUARDED, UNKNOWN, MISSING = State.FOUND, State.GUARDED, State.UNKNOWN, State.MISSING


def program(section: str, name: str = "p") -> ProgramSpec:
    return ProgramSpec(name, parse_section_name(section), f"{section}:{name}")


def one_program(section: str, code: bytes = RETURN, *relocs: Reloc, **more: Any) -> ObjectSpec:
    functions = more.pop("functions", ())
    core = more.pop("core_relos", ())
    main = function(f"{section}:p", code, *relocs, core_relos=core)
    return object_of(main, *functions, programs=(program(section),), **more)


def findings(spec: ObjectSpec, btf: Btf, config: Path | None = None, **more: Any) -> list[Finding]:
    return list(check(subject_of(spec), target(btf, config, **more)).findings)


def states(spec: ObjectSpec, btf: Btf, **more: Any) -> dict[str, State]:
    return {one.name: one.state for one in findings(spec, btf, **more)}


# --- numbers


@pytest.mark.parametrize(
    ("section", "functions", "expected"),
    [
        pytest.param("xdp", (), {"xdp": FOUND}, id="built whatever the configuration"),
        pytest.param("kprobe", (), {"kprobe": FOUND}, id="tracepoints are there"),
        pytest.param(
            "lsm/file_open", ("bpf_lsm_verify_prog",), {"lsm": FOUND}, id="its function is there"
        ),
        pytest.param("lsm/file_open", (), {"lsm": UNKNOWN}, id="it may be there unseen"),
        pytest.param("syscall", (), {"syscall": MISSING, "sleepable": MISSING}, id="not listed"),
        pytest.param("sk_lookup", (), {"sk_lookup": MISSING}, id="neither type"),
    ],
)
def test_program_types(
    section: str, functions: tuple[str, ...], expected: dict[str, State]
) -> None:
    found = states(one_program(section), kernel_btf(functions))
    assert {name: found[name] for name in expected} == expected


def test_a_kernel_without_tracing() -> None:
    (one,) = findings(one_program("kprobe"), kernel_btf(tracing=False))
    assert (one.name, one.state) == ("kprobe", MISSING)
    assert one.detail == (
        "its types have no btf_trace_sched_switch or btf_trace_sys_enter:"
        " it was built without CONFIG_BPF_EVENTS"
    )


def test_an_attach_type_that_is_not_listed() -> None:
    found = findings(one_program("xdp/devmap"), kernel_btf())
    assert [(one.kind, one.name, one.state, one.detail) for one in found] == [
        (Kind.PROGRAM_TYPE, "xdp", FOUND, ""),
        (Kind.ATTACH_TYPE, "xdp_devmap", MISSING, "its enum bpf_attach_type has no 33"),
    ]


@pytest.mark.parametrize(
    ("section", "attach"),
    [
        pytest.param("cgroup/connect4", False, id="refused when it loads"),
        pytest.param("tcx/ingress", True, id="refused when it attaches"),
    ],
)
def test_when_an_attach_type_is_missed(section: str, attach: bool) -> None:
    found = findings(one_program(section), kernel_btf())
    assert [one.attach for one in found if one.kind is Kind.ATTACH_TYPE] == [attach]


@pytest.mark.parametrize(
    ("section", "members", "expected"),
    [
        pytest.param("xdp.frags", ("xdp_has_frags",), {"xdp frags": FOUND}, id="frags"),
        pytest.param("xdp.frags", (), {"xdp frags": MISSING}, id="no frags"),
        pytest.param("fentry.s", ("sleepable",), {"sleepable": FOUND}, id="sleepable"),
    ],
)
def test_flags(section: str, members: tuple[str, ...], expected: dict[str, State]) -> None:
    fields = tuple(t.Member(name, INT, 32 * at) for at, name in enumerate(members))
    btf = kernel_btf((), t.Struct(0, "bpf_prog_aux", 8, fields))
    found = findings(one_program(section), btf)
    assert {one.name: one.state for one in found if one.kind is Kind.FLAG} == expected


@pytest.mark.parametrize(
    ("kind", "functions", "config", "state", "why"),
    [
        pytest.param(MapType.HASH, (), None, FOUND, "", id="always there"),
        pytest.param(
            MapType.RINGBUF, (), None, MISSING, "its enum bpf_map_type has no 27 (map m)",
            id="not listed",
        ),
        pytest.param(MapType.XSKMAP, ("xsk_map_alloc",), None, FOUND, "", id="built"),
        pytest.param(MapType.XSKMAP, (), "CONFIG_XDP_SOCKETS=y\n", FOUND, "", id="configured"),
        pytest.param(
            MapType.XSKMAP, (), "CONFIG_NET=y\n", MISSING,
            "CONFIG_XDP_SOCKETS is not set in {} (map m)", id="not configured",
        ),
        pytest.param(
            MapType.XSKMAP, (), None, UNKNOWN,
            "its types do not show CONFIG_XDP_SOCKETS: name a file with --kernel-config",
            id="nothing tells",
        ),
        pytest.param(99, (), None, MISSING, "its enum bpf_map_type has no 99 (map m)", id="future"),
    ],
)  # fmt: skip
def test_map_types(
    tmp_path: Path,
    kind: int,
    functions: tuple[str, ...],
    config: str | None,
    state: State,
    why: str,
) -> None:
    path = tmp_path / "config"
    if config:
        path.write_text(config)
    spec = object_of(maps=(MapSpec("m", kind, 4, 4, 1),))
    (found,) = findings(spec, kernel_btf(functions), path if config else None)
    assert (found.state, found.detail) == (state, why.format(path))


def test_the_map_in_a_map_counts() -> None:
    inner = MapSpec("inner", MapType.RINGBUF, 0, 0, 4096)
    spec = object_of(maps=(MapSpec("outer", MapType.HASH, 4, 4, 1, inner=inner),))
    assert states(spec, kernel_btf()) == {"hash": FOUND, "ringbuf": MISSING}


def test_a_map_of_any_size() -> None:
    spec = object_of(maps=(MapSpec("m", MapType.HASH, 4, 4, 0),))
    (_, found) = findings(spec, kernel_btf())
    assert (found.kind, found.name, found.state) == (Kind.MAP, "m", MISSING)
    sized = LoadOptions(max_entries={"m": 1})
    assert check(subject_of(spec, sized), target(kernel_btf())).verdict is FOUND


@pytest.mark.parametrize("pinned", [False, True])
def test_a_map_of_maps_that_tells_not_of_which(pinned: bool) -> None:
    """One that may be pinned already tells it then."""
    outer = MapSpec("outer", MapType.HASH_OF_MAPS, 4, 4, 1, pin_by_name=pinned)
    found = findings(object_of(maps=(outer,)), kernel_btf())
    maps = [(one.name, one.state) for one in found if one.kind is Kind.MAP]
    assert maps == ([] if pinned else [("outer", MISSING)])


def test_types_without_numbers() -> None:
    bare = parsed(t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32))
    spec = one_program("xdp", encode([Insn(0x85, imm=1), EXIT]))
    assert set(states(spec, bare).values()) == {UNKNOWN}


# --- targets


@pytest.mark.parametrize(
    ("section", "functions", "state", "attach"),
    [
        pytest.param("fentry/here", ("here",), FOUND, False, id="a function"),
        pytest.param("fentry/gone", (), MISSING, False, id="no function"),
        pytest.param("fentry/mod:gone", (), UNKNOWN, False, id="of a module not given"),
        pytest.param("fentry", (), UNKNOWN, False, id="not chosen"),
        pytest.param("iter/task", ("bpf_iter_task",), FOUND, False, id="an iterator"),
        pytest.param("lsm/file_open", (), MISSING, False, id="no hook"),
        pytest.param("freplace/f", (), UNKNOWN, False, id="of a program"),
        pytest.param("kprobe/here+4", ("here",), FOUND, True, id="a probe"),
        pytest.param("kprobe/gone", (), UNKNOWN, True, id="a probe that types do not show"),
        pytest.param("kprobe.multi/he*", ("here",), FOUND, True, id="a pattern"),
        pytest.param("kprobe.multi/go*", ("here",), UNKNOWN, True, id="a pattern without match"),
        pytest.param("ksyscall/bpf", ("__x64_sys_bpf",), FOUND, True, id="a system call"),
        pytest.param("ksyscall/gone", (), UNKNOWN, True, id="no system call"),
        pytest.param("raw_tp/gone", (), MISSING, True, id="no tracepoint"),
        pytest.param("tp/a/gone", (), MISSING, True, id="no event"),
        pytest.param("tp/syscalls/sys_enter_bpf", ("__se_sys_bpf",), FOUND, True, id="enter"),
        pytest.param("tp/syscalls/sys_enter_x", (), UNKNOWN, True, id="enter what"),
    ],
)
def test_targets(section: str, functions: tuple[str, ...], state: State, attach: bool) -> None:
    found = findings(one_program(section), kernel_btf(functions))
    (one,) = (one for one in found if one.kind is Kind.TARGET)
    assert (one.name, one.state, one.attach) == (section, state, attach)


def test_tracepoints() -> None:
    btf = kernel_btf((), t.Typedef(0, "btf_trace_known", INT))
    for section in ("raw_tp/known", "tp/any/known", "tp_btf/known"):
        assert states(one_program(section), btf)[section] is FOUND


@pytest.mark.parametrize("section", ["uprobe//bin/sh:main", "xdp"])
def test_what_is_no_part_of_the_kernel_is_no_target(section: str) -> None:
    found = findings(one_program(section), kernel_btf())
    assert not [one for one in found if one.kind is Kind.TARGET]


def test_modules() -> None:
    btf = kernel_btf()
    own = parsed(
        t.Func(len(btf), "in_module", VOID_PROTO, t.FuncLinkage.STATIC),
        t.Typedef(len(btf) + 1, "btf_trace_of_module", INT),
        base=btf,
    )
    more = {"modules": (ModuleBtf("mod", 0, own),), "has_modules": True}
    for section in ("fentry/in_module", "fentry/mod:in_module", "raw_tp/of_module"):
        assert states(one_program(section), btf, **more)[section] is FOUND
    assert states(one_program("fentry/mod:gone"), btf, **more)["fentry/mod:gone"] is MISSING


# --- programs that are not loaded


def test_programs_that_nobody_asked_for() -> None:
    spec = one_program("?fentry/gone")
    found = findings(spec, kernel_btf())
    (one,) = (one for one in found if one.kind is Kind.TARGET)
    assert (one.state, one.name) == (GUARDED, "fentry/gone")
    assert one.detail.endswith("; only p needs it, which is not loaded unless asked for")
    asked = subject_of(spec, LoadOptions(programs=frozenset({"p"})))
    report = check(asked, target(kernel_btf()))
    assert report.verdict is MISSING


# --- helpers and instructions


def test_helpers() -> None:
    code = encode([Insn(0x85, imm=1), Insn(0x85, imm=181), Insn(0x85, imm=9999), EXIT])
    found = findings(one_program("xdp", code), kernel_btf())
    helpers = {one.name: (one.state, one.where) for one in found if one.kind is Kind.HELPER}
    assert helpers == {
        "bpf_map_lookup_elem": (FOUND, ""),
        "bpf_loop": (MISSING, "insn 1 of p"),
        "helper 9999": (MISSING, "insn 2 of p"),
    }


def test_a_helper_in_dead_code() -> None:
    dead = [Insn(0xB7, 1), Insn(0x15, 1, off=1), Insn(0x85, imm=181), EXIT]
    found = {one.name: one for one in findings(one_program("xdp", encode(dead)), kernel_btf())}
    assert found["bpf_loop"].state is GUARDED
    assert found["bpf_loop"].detail == "its enum bpf_func_id has no 181; nothing gets there"


@pytest.mark.parametrize(
    ("section", "why"),
    [
        pytest.param("fentry/vfs_read", "its types have no vfs_read", id="a function"),
        pytest.param(
            "lsm/file_opem",
            "its types have no bpf_lsm_file_opem: did you mean file_open?",
            id="a hook",
        ),
    ],
)
def test_another_kernel_is_not_the_running_one(
    section: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What runs here has many functions, and nobody asks it."""
    monkeypatch.delattr("bpfctl.loader.attach_missing.function_facts")
    found = findings(one_program(section), kernel_btf(("bpf_lsm_file_open",)))
    (one,) = (one for one in found if one.kind is Kind.TARGET)
    assert (one.state, one.detail) == (MISSING, f"{why}; modules were not looked into")


@pytest.mark.parametrize(
    ("section", "helpers", "name", "state"),
    [
        pytest.param("uprobe.s", range(156), "sleepable uprobe.s", MISSING, id="5.10"),
        pytest.param("uprobe.s", range(210), "sleepable", FOUND, id="6.1"),
        pytest.param("struct_ops.s/x", range(210), "sleepable struct_ops.s", MISSING, id="members"),
        pytest.param("iter.s/task", range(156), "sleepable iter.s", UNKNOWN, id="too early"),
        pytest.param("fentry.s/x", range(156), "sleepable", FOUND, id="from the beginning"),
    ],
)
def test_programs_that_sleep(section: str, helpers: range, name: str, state: State) -> None:
    """Each sort of them came at another time."""
    values = tuple(t.EnumValue(str(one), one) for one in helpers)
    btf = parsed(
        t.Enum(1, "bpf_func_id", 4, signed=False, values=values),
        t.Int(2, "_Bool", 1, t.IntEncoding.BOOL, 0, 8),
        t.Struct(3, "bpf_prog_aux", 1, (t.Member("sleepable", 2, 0),)),
    )
    found = findings(one_program(section), btf)
    assert [(one.name, one.state) for one in found if one.kind is Kind.FLAG] == [(name, state)]


COOKIE = Insn(0x85, imm=174)  # which raw_tp may call on Linux 6.12, and not on 6.1


def listing(helpers: range) -> Btf:
    """The types of a kernel that has so many helpers."""
    values = tuple(t.EnumValue(str(one), one) for one in helpers)
    return parsed(t.Enum(1, "bpf_func_id", 4, signed=False, values=values))


@pytest.mark.parametrize(
    ("helpers", "state", "detail"),
    [
        pytest.param(range(210), MISSING, "programs of raw_tp may not call it", id="6.1"),
        pytest.param(
            range(212),
            UNKNOWN,
            "programs of raw_tp may not call it on Linux 6.1, but may on 6.12",
            id="6.2 or later",
        ),
    ],
)
def test_a_helper_of_other_programs(helpers: range, state: State, detail: str) -> None:
    """Who may call it is known of some kernels alone."""
    found = findings(one_program("raw_tp", encode([COOKIE, EXIT])), listing(helpers))
    (one,) = (one for one in found if one.kind is Kind.HELPER)
    assert (one.state, one.detail, one.where) == (state, detail, "insn 0 of p")
    (one,) = (
        one
        for one in findings(one_program("kprobe", encode([COOKIE, EXIT])), listing(helpers))
        if one.kind is Kind.HELPER
    )
    assert (one.state, one.detail, one.where) == (FOUND, "", "")


def test_a_helper_that_one_of_two_may_call() -> None:
    """The one that may not never gets there; the section that may is no hindrance."""
    dead = encode([Insn(0xB7, 1), Insn(0x15, 1, off=1), COOKIE, EXIT])
    live = encode([COOKIE, EXIT])
    for code, state, programs in ((dead, GUARDED, ""), (live, MISSING, "insn 0 of r")):
        spec = object_of(
            function("raw_tp:r", code),
            function("kprobe:k", live),
            programs=(program("raw_tp", "r"), program("kprobe", "k")),
        )
        (one,) = (one for one in findings(spec, listing(range(210))) if one.kind is Kind.HELPER)
        assert (one.state, one.where, one.programs) == (state, programs, ("r", "k"))


@pytest.mark.parametrize(
    ("insn", "state"),
    [
        pytest.param(Insn(0xE5), UNKNOWN, id="after what it lists"),
        pytest.param(Insn(0x16), FOUND, id="before what it lists"),
    ],
)
def test_instructions(insn: Insn, state: State) -> None:
    found = findings(one_program("xdp", encode([insn, EXIT])), kernel_btf())
    assert [one.state for one in found if one.kind is Kind.CODE] == [state]


# --- CO-RE


LOCAL = parsed(
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Struct(2, "thing", 8, (t.Member("here", 1, 0), t.Member("gone", 1, 32))),
)
THING = t.Struct(0, "thing", 8, (t.Member("more", INT, 0), t.Member("here", INT, 32)))
OFFSET, EXISTS = 0, 2


def relo(insn: int, access: str, kind: int) -> CoreRelo:
    return CoreRelo(8 * insn, 2, access, kind)


def core(*relos: CoreRelo, guard: int = 1) -> ObjectSpec:
    """A program that asks whether a member is there, and reads one where it is."""
    code = [Insn(0xB7, 1, imm=guard), Insn(0x15, 1, off=1), Insn(0x61, 2, 6, 4), Insn(0xB7), EXIT]
    return one_program("xdp", encode(code), core_relos=relos, btf=LOCAL)


@pytest.mark.parametrize(
    ("relos", "expected"),
    [
        pytest.param(
            (relo(2, "0:1", OFFSET),), {"struct thing.gone": (MISSING, "insn 2 of p")}, id="reached"
        ),
        pytest.param(
            (relo(0, "0:1", EXISTS), relo(2, "0:1", OFFSET)),
            {"struct thing.gone exists?": (GUARDED, ""), "struct thing.gone": (GUARDED, "")},
            id="guarded",
        ),
        pytest.param((relo(0, "0:0", EXISTS),), {"struct thing.here exists?": (FOUND, "")},
                     id="there"),
    ],
)  # fmt: skip
def test_core(relos: tuple[CoreRelo, ...], expected: dict[str, tuple[State, str]]) -> None:
    found = findings(core(*relos), kernel_btf((), THING))
    assert {one.name: (one.state, one.where) for one in found if one.kind is Kind.CORE} == expected


def test_a_relocation_that_contradicts_the_code() -> None:
    found = findings(core(relo(2, "0:0", OFFSET)), kernel_btf((), THING))
    (one,) = (one for one in found if one.kind is Kind.OBJECT)
    assert (one.name, one.state) == ("program p", MISSING)
    assert one.detail.startswith("CO-RE: instruction 2 holds 4 instead of 0")


# --- externs


EXTERNS = parsed(
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.FuncProto(2, "", 1, ()),
    t.Func(3, "bpf_thing", 2, t.FuncLinkage.EXTERN),
)


def calling(weak: bool, guarded: bool = False) -> ObjectSpec:
    code = [Insn(0x85, src=1, imm=-1), EXIT]
    relocs = [Reloc(0, RelocKind.EXTERN, "bpf_thing")]
    if guarded:
        code = [*ld_imm64(1, 0), Insn(0x15, 1, off=1), *code]
        relocs = [Reloc(at, RelocKind.EXTERN, "bpf_thing") for at in (0, 3)]
    extern = ExternSpec("bpf_thing", "kfunc", weak, 3)
    return one_program("xdp", encode(code), *relocs, externs=(extern,), btf=EXTERNS)


@pytest.mark.parametrize(
    ("weak", "guarded", "state"),
    [
        pytest.param(False, True, MISSING, id="strong"),
        pytest.param(True, False, MISSING, id="weak, and called all the same"),
        pytest.param(True, True, GUARDED, id="weak, and asked for"),
    ],
)
def test_kfuncs_that_are_not_there(weak: bool, guarded: bool, state: State) -> None:
    assert states(calling(weak, guarded), kernel_btf())["bpf_thing"] is state


@pytest.mark.parametrize(
    ("tagged", "state"),
    [
        pytest.param("bpf_thing", FOUND, id="a kfunc"),
        pytest.param("other", MISSING, id="a function that is none"),
        pytest.param(None, UNKNOWN, id="types that do not say"),
    ],
)
def test_kfuncs_that_are_there(tagged: str | None, state: State) -> None:
    names = ("bpf_thing", "other")
    plain = kernel_btf(names)
    tag = [t.DeclTag(0, "bpf_kfunc", plain.find(tagged, t.Kind.FUNC) or 0, -1)] if tagged else []
    assert states(calling(weak=False), kernel_btf(names, *tag))["bpf_thing"] is state


@pytest.mark.parametrize(
    ("helpers", "state"),
    [
        pytest.param(range(166), FOUND, id="5.13"),
        pytest.param(range(156), MISSING, id="5.10"),
    ],
)
def test_kfuncs_by_the_age_of_a_kernel(helpers: range, state: State) -> None:
    values = tuple(t.EnumValue(str(one), one) for one in helpers)
    btf = parsed(
        t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
        t.FuncProto(2, "", 1, ()),
        t.Func(3, "tcp_slow_start", 2, t.FuncLinkage.STATIC),
        t.Enum(4, "bpf_func_id", 4, signed=False, values=values),
    )
    local = parsed(
        t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
        t.FuncProto(2, "", 1, ()),
        t.Func(3, "tcp_slow_start", 2, t.FuncLinkage.EXTERN),
    )
    code = encode([Insn(0x85, src=1, imm=-1), EXIT])
    extern = ExternSpec("tcp_slow_start", "kfunc", False, 3)
    reloc = Reloc(0, RelocKind.EXTERN, "tcp_slow_start")
    spec = one_program("xdp", code, reloc, externs=(extern,), btf=local)
    assert states(spec, btf)["tcp_slow_start"] is state


@pytest.mark.parametrize(
    ("maps", "state"),
    [
        pytest.param((), MISSING, id="before 6.4"),
        pytest.param((("ARENA", 33),), UNKNOWN, id="after it, no kfunc that we know"),
    ],
)
def test_addresses_of_kfuncs(maps: tuple[tuple[str, int], ...], state: State) -> None:
    """Older kernels refuse to be asked for one that they have."""
    values = tuple(t.EnumValue(name, number) for name, number in maps)
    helpers = tuple(t.EnumValue(str(one), one) for one in range(210))
    btf = parsed(
        t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
        t.FuncProto(2, "", 1, ()),
        t.Func(3, "bpf_thing", 2, t.FuncLinkage.STATIC),
        t.Enum(4, "bpf_func_id", 4, signed=False, values=helpers),
        *([t.Enum(5, "bpf_map_type", 4, signed=False, values=values)] if maps else []),
    )
    found = findings(calling(weak=True, guarded=True), btf)
    assert [one.state for one in found if one.kind is Kind.KFUNC] == [state]


@pytest.mark.parametrize(
    ("release", "state"),
    [
        pytest.param("6.1.5", GUARDED, id="older than the guard asks for"),
        pytest.param("6.6.1", MISSING, id="newer"),
        pytest.param("", MISSING, id="unknown"),
    ],
)
def test_code_guarded_by_the_version(tmp_path: Path, release: str, state: State) -> None:
    path = tmp_path / "config"
    head = f"#\n# Automatically generated file\n# Linux/x86 {release} Kernel Configuration\n#\n"
    path.write_text((head if release else "") + "CONFIG_BPF=y\n")
    asks = [*ld_imm64(1, 0), Insn(0x61, 1, 1), Insn(0xA5, 1, off=1, imm=0x60200), LOOP, EXIT]
    extern = ExternSpec("LINUX_KERNEL_VERSION", "kconfig", False, 1)
    reloc = Reloc(0, RelocKind.EXTERN, extern.name)
    spec = one_program("xdp", encode(asks), reloc, externs=(extern,), btf=EXTERNS)
    found = {one.name: one.state for one in findings(spec, kernel_btf(), path)}
    assert found["bpf_loop"] is state


def reading(kind: str, name: str, *, weak: bool = False) -> ObjectSpec:
    """A program that reads an int that somebody else has."""
    code = [*ld_imm64(1, 0), Insn(0x61, 0, 1), EXIT]
    extern = ExternSpec(name, kind, weak, 1 if kind == "kconfig" else 0)
    reloc = Reloc(0, RelocKind.EXTERN, name)
    return one_program("xdp", encode(code), reloc, externs=(extern,), btf=EXTERNS)


@pytest.mark.parametrize(
    ("weak", "config", "state"),
    [
        pytest.param(False, None, UNKNOWN, id="no file"),
        pytest.param(True, None, GUARDED, id="no file, weak"),
        pytest.param(False, "CONFIG_HZ=250\n", FOUND, id="set"),
        pytest.param(False, "CONFIG_NET=y\n", MISSING, id="not set"),
        pytest.param(True, "CONFIG_NET=y\n", GUARDED, id="not set, weak"),
        pytest.param(True, "CONFIG_HZ=y\n", MISSING, id="of another type"),
    ],
)
def test_kconfig(tmp_path: Path, weak: bool, config: str | None, state: State) -> None:
    path = tmp_path / "config"
    if config:
        path.write_text(config)
    spec = reading("kconfig", "CONFIG_HZ", weak=weak)
    (one,) = (
        one
        for one in findings(spec, kernel_btf(), path if config else None)
        if one.kind is Kind.KCONFIG
    )
    assert one.state is state


@pytest.mark.parametrize(
    "name", ["LINUX_KERNEL_VERSION", "LINUX_HAS_BPF_COOKIE", "LINUX_HAS_SYSCALL_WRAPPER"]
)
def test_values_that_are_in_no_file(name: str) -> None:
    assert states(reading("kconfig", name), kernel_btf())[name] is FOUND


@pytest.mark.parametrize(
    ("name", "weak", "state"),
    [
        pytest.param("here", False, FOUND, id="in its types"),
        pytest.param("gone", False, UNKNOWN, id="not in them"),
        pytest.param("gone", True, GUARDED, id="not in them, and weak"),
    ],
)
def test_symbols_without_a_type(name: str, weak: bool, state: State) -> None:
    assert states(reading("ksym", name, weak=weak), kernel_btf(("here",)))[name] is state
