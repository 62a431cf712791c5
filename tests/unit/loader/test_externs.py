"""Externs resolved against types made by hand, and what becomes of the code."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from bpfctl.asm.insn import BPF_CALL_IMM, Insn, decode, encode, ld_imm64
from bpfctl.btf import types as t
from bpfctl.elf.sections import parse_section_name
from bpfctl.elf.spec import ExternSpec, MapSpec, ObjectSpec, ProgramSpec, Reloc, RelocKind
from bpfctl.errors import ExternError, NotFoundError, RelocationError, VerifierError
from bpfctl.kernel.uapi import Cmd
from bpfctl.linux.kconfig import parse_config
from bpfctl.loader.extern_code import bind, set_externs
from bpfctl.loader.extern_result import Address, Bound, Externs, KernelType, Missing, Outcome, Value
from bpfctl.loader.externs import explain_extern, resolve, with_kconfig
from bpfctl.loader.kernel_btf import ModuleBtf
from bpfctl.loader.ksym_words import option_for
from bpfctl.loader.ksyms import address, kernel_type
from bpfctl.loader.link_code import LinkedCode
from tests.builders.btf import parsed
from tests.fakes.kernel import FakeKernel
from tests.unit.loader.objects import EXIT, call, function, object_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bpfctl.linux.kconfig import KernelConfig


# The kernel: an int, a variable of it, `int helped(int)`; a module with `int in_module(int)`.
VMLINUX = parsed(
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Var(2, "jiffies", 1, t.VarLinkage.GLOBAL_ALLOCATED),
    t.FuncProto(3, "", 1, (t.Param("x", 1),)),
    t.Func(4, "helped", 3, t.FuncLinkage.STATIC),
)
MODULE = ModuleBtf(
    "mod",
    77,
    parsed(
        t.Func(5, "in_module", 3, t.FuncLinkage.STATIC),
        t.Var(6, "module_var", 1, t.VarLinkage.GLOBAL_ALLOCATED),
        base=VMLINUX,
    ),
)
# The object: int, void *, `int (int)`, `int (void)`, and functions of both.
LOCAL = parsed(
    t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32),
    t.Ptr(2, "", 0),
    t.FuncProto(3, "", 1, (t.Param("", 1),)),
    t.FuncProto(4, "", 1, ()),
    t.Func(5, "any", 3, t.FuncLinkage.GLOBAL),
    t.Func(6, "other", 4, t.FuncLinkage.GLOBAL),
)
TAKES_INT, TAKES_NOTHING = 5, 6


class Kernel:
    btf = VMLINUX
    modules = (MODULE,)


KERNEL: object = Kernel()


@pytest.mark.parametrize(
    ("extern", "outcome"),
    [
        pytest.param(ExternSpec("helped", "kfunc", False, TAKES_INT), KernelType(4), id="kfunc"),
        pytest.param(
            ExternSpec("helped___v2", "kfunc", False, TAKES_INT), KernelType(4), id="flavour"
        ),
        pytest.param(
            ExternSpec("in_module", "kfunc", False, TAKES_INT),
            KernelType(5, MODULE),
            id="kfunc of a module",
        ),
        pytest.param(ExternSpec("jiffies", "ksym", False, 1), KernelType(2), id="variable"),
        pytest.param(
            ExternSpec("module_var", "ksym", False, 1), KernelType(6, MODULE), id="module variable"
        ),
        pytest.param(
            ExternSpec("helped", "kfunc", False, TAKES_NOTHING),
            Missing(
                "has other parameters in the kernel: int (int), the object declares int (void)"
            ),
            id="other parameters",
        ),
        pytest.param(
            ExternSpec("in_module", "kfunc", True, TAKES_NOTHING),
            Missing(
                "has other parameters in module mod: int (int), the object declares int (void)"
            ),
            id="other parameters in a module",
        ),
        pytest.param(
            ExternSpec("jiffies", "ksym", True, 2),
            Missing("is of type int here, the object declares void *", fatal=True),
            id="other type",
        ),
        pytest.param(
            ExternSpec("jiffie", "ksym", False, 1),
            Missing(
                "is no variable in the types of this kernel or a loaded module",
                nearest=("jiffies",),
            ),
            id="no such variable",
        ),
        pytest.param(
            ExternSpec("helped", "ksym", False, 1),
            Missing(
                "is no variable in the types of this kernel or a loaded module, but a function"
            ),
            id="a function as variable",
        ),
        pytest.param(
            ExternSpec("helper", "kfunc", False, TAKES_INT),
            Missing("is no function of this kernel or a loaded module", nearest=("helped",)),
            id="no such function",
        ),
    ],
)
def test_typed_symbols(extern: ExternSpec, outcome: Outcome) -> None:
    assert kernel_type(LOCAL, extern, KERNEL) == outcome  # type: ignore[arg-type]  # what it uses


@pytest.mark.parametrize(
    ("found", "hidden", "outcome"),
    [
        (frozenset({0xFFFF800000001000}), False, Address(0xFFFF800000001000)),
        (
            frozenset({0x10, 0x20}),
            False,
            Missing("is ambiguous: 2 symbols have this name (0x10, 0x20)", fatal=True),
        ),
        (frozenset({0}), False, Address(0)),
        (
            frozenset({0}),
            True,
            Missing(
                "has an address that this process may not see",
                remedy="run it with CAP_SYSLOG, or set kernel.kptr_restrict to 0",
            ),
        ),
    ],
    ids=["one", "two", "zero", "hidden"],
)
def test_addresses(found: frozenset[int], outcome: Outcome, *, hidden: bool) -> None:
    assert address(found, hidden=hidden) == outcome


@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("scx_bpf_dispatch", "CONFIG_SCHED_CLASS_EXT"),
        ("bpf_xdp_ct_lookup", "CONFIG_NF_CONNTRACK"),
        ("bpf_kfunc_call_test1", "module bpf_testmod of the selftests"),
        ("my_bpf_crypto_thing", None),
    ],
)
def test_the_option_of_a_function(name: str, option: str | None) -> None:
    assert option_for(name) == option


# --- a whole object


def using(*names: str, externs: Iterable[ExternSpec]) -> ObjectSpec:
    """Two programs, the first of which calls a function that refers to some externs."""
    relocs = (Reloc(at, RelocKind.EXTERN, name) for at, name in enumerate(names))
    code = encode([Insn(BPF_CALL_IMM, imm=-1)] * len(names)) + EXIT
    helper = function(".text:helper", code, *relocs)
    section = parse_section_name
    return object_of(
        helper,
        function("xdp:user", EXIT, call(0, helper.key)),
        function("tc:other", EXIT),
        programs=(
            ProgramSpec("user", section("xdp"), "xdp:user"),
            ProgramSpec("other", section("tc"), "tc:other"),
        ),
        externs=tuple(externs),
        btf=LOCAL,
    )


EXTERNS = (
    ExternSpec("CONFIG_GONE", "kconfig", False, 1),
    ExternSpec("helped", "kfunc", False, TAKES_INT),
    ExternSpec("in_module", "kfunc", False, TAKES_INT),
    ExternSpec("stray", "unknown"),
    ExternSpec("weak", "kfunc", True, TAKES_INT),
)


def test_all_that_is_missing_is_told_at_once() -> None:
    spec = using("CONFIG_GONE", "stray", "weak", externs=EXTERNS)
    with pytest.raises(ExternError, match="2 externs are not resolved") as raised:
        resolve(spec, spec.programs, KERNEL, lambda: None)  # type: ignore[arg-type]  # as above
    error = raised.value
    assert (error.code, error.program) == ("externs-unresolved", "user")
    assert error.evidence == [
        "CONFIG_GONE (kconfig) no file tells the kernel's configuration",
        "stray (unknown) has no type in .kconfig or .ksyms",
    ]
    assert error.remedy == (
        "--kernel-config FILE; declare it with __kconfig or __ksym, compile with -g, or link the "
        "file that defines it"
    )
    assert [one["name"] for one in error.details()["externs"]] == ["CONFIG_GONE", "stray"]


def test_one_that_is_missing_is_the_message() -> None:
    spec = using("stray", externs=[ExternSpec("stray", "unknown")])
    with pytest.raises(ExternError) as raised:
        resolve(spec, spec.programs, KERNEL, lambda: None)  # type: ignore[arg-type]  # as above
    assert raised.value.message == "extern stray (unknown) has no type in .kconfig or .ksyms"
    assert raised.value.evidence == []


def test_what_no_loaded_program_uses_may_be_missing() -> None:
    spec = using("stray", "helped", externs=EXTERNS)
    found = resolve(spec, spec.programs[1:], KERNEL, lambda: None)  # type: ignore[arg-type]  # as above
    assert found.outcomes["helped"] == KernelType(4)
    assert found.modules == (MODULE,)


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("CONFIG_OTHER=y\n", ", which is not set in config"),
        ("CONFIG_SCHED_CLASS_EXT=m\n", ", which is a module here: it may have to be loaded"),
        (
            "CONFIG_SCHED_CLASS_EXT=y\n",
            ", which is y here, so another version of the kernel has it",
        ),
        (None, ""),
    ],
)
def test_the_configuration_tells_of_the_option(text: str | None, setting: str) -> None:
    spec = using("scx_bpf_x", externs=[ExternSpec("scx_bpf_x", "kfunc", False, TAKES_INT)])
    reads = 0

    def config() -> KernelConfig | None:
        nonlocal reads
        reads += 1
        return parse_config(text, "config") if text else None

    with pytest.raises(ExternError) as raised:
        resolve(spec, spec.programs, KERNEL, config)  # type: ignore[arg-type]  # as above
    assert raised.value.message.endswith(f"it comes with CONFIG_SCHED_CLASS_EXT{setting}")
    assert reads == 1


def test_a_configuration_is_read_once() -> None:
    wanted = [ExternSpec(f"CONFIG_{one}", "kconfig", True, 1) for one in "ABC"]
    spec, reads = using("CONFIG_A", externs=wanted), []

    def config() -> KernelConfig | None:
        reads.append(1)
        return parse_config("CONFIG_A=1\nCONFIG_B=2\n", "config")

    found = resolve(spec, spec.programs, KERNEL, config)  # type: ignore[arg-type]  # as above
    assert (found.outcomes["CONFIG_B"], len(reads)) == (Value(b"\2\0\0\0"), 1)


def test_values_are_put_together() -> None:
    specs = (ExternSpec("A", "kconfig", offset=0), ExternSpec("B", "kconfig", offset=4))
    externs = Externs(specs, {"A": Missing("gone"), "B": Value(b"\1\2")})
    spec = MapSpec("x.kconfig", 2, 4, 8, 1, section=".kconfig")
    assert with_kconfig(spec, externs).contents == bytes([0, 0, 0, 0, 1, 2, 0, 0])
    other = MapSpec("x.rodata", 2, 4, 8, 1, section=".rodata")
    assert with_kconfig(other, externs) is other


# --- code

SPECS = tuple(
    ExternSpec(name, kind, True, TAKES_INT, offset)
    for name, kind, offset in [
        ("CONFIG_X", "kconfig", 12),
        ("absent", "kfunc", 0),
        ("address", "ksym", 0),
        ("helped", "kfunc", 0),
        ("in_module", "kfunc", 0),
        ("nowhere", "ksym", 0),
    ]
)
OUTCOMES: dict[str, Outcome] = {
    "CONFIG_X": Value(b""),
    "absent": Missing("is gone", option="CONFIG_ABSENT"),
    "address": Address(0x1234567890),
    "helped": KernelType(4),
    "in_module": KernelType(5, MODULE),
    "nowhere": Missing("is gone"),
}
BOUND = Bound({"x.kconfig": 9}, Externs(SPECS, OUTCOMES, (MODULE,)), "x.kconfig", {77: 8})


def linked(name: str, insns: list[Insn]) -> LinkedCode:
    return LinkedCode(bytearray(encode(insns)), (), ((0, Reloc(0, RelocKind.EXTERN, name)),))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("CONFIG_X", ld_imm64(3, 9 | 12 << 32, src=2)),
        ("address", ld_imm64(3, 0x1234567890)),
        ("nowhere", ld_imm64(3, 0)),
        ("helped", ld_imm64(3, 4, src=3)),
        ("in_module", ld_imm64(3, 5 | 8 << 32, src=3)),
        ("absent", ld_imm64(3, 0)),
    ],
)
def test_addresses_are_loaded(name: str, expected: tuple[Insn, Insn]) -> None:
    code = linked(name, [*ld_imm64(3, 0)])
    set_externs(code, BOUND)
    assert decode(code.code) == list(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("helped", Insn(BPF_CALL_IMM, src=2, off=0, imm=4)),
        ("in_module", Insn(BPF_CALL_IMM, src=2, off=1, imm=5)),
        ("absent", Insn(BPF_CALL_IMM, imm=2002000001)),
    ],
)
def test_functions_are_called(name: str, expected: Insn) -> None:
    code = linked(name, [Insn(BPF_CALL_IMM, src=1, imm=-1)])
    set_externs(code, BOUND)
    assert decode(code.code) == [expected]
    assert BOUND.fd_array == (0, 8)


@pytest.mark.parametrize(
    ("name", "match"), [("address", "which is no function"), ("who", "is not declared")]
)
def test_code_that_contradicts_its_externs(name: str, match: str) -> None:
    with pytest.raises(RelocationError, match=match):
        set_externs(linked(name, [Insn(BPF_CALL_IMM)]), BOUND)


def test_a_poisoned_call_that_is_reached_names_the_function() -> None:
    code = linked("absent", [Insn(BPF_CALL_IMM)])
    set_externs(code, BOUND)
    error = VerifierError(22, "load", "log")
    error.insn = 0
    explain_extern(error, code, BOUND.externs)
    assert (error.code, error.unresolved, error.evidence, error.remedy) == (
        "extern-unresolved",
        "it calls absent(), which is gone",
        ["absent comes with CONFIG_ABSENT"],
        "guard the call: if (bpf_ksym_exists(absent))",
    )


@pytest.mark.parametrize("insn", [None, 5, 0], ids=["unknown", "outside", "another call"])
def test_other_refusals_stay_as_they_are(insn: int | None) -> None:
    error = VerifierError(22, "load", "log")
    error.insn = insn
    explain_extern(error, linked("helped", [Insn(BPF_CALL_IMM, imm=1)]), BOUND.externs)
    assert (error.code, error.evidence) == ("verifier-rejected", [])


def test_a_variable_without_an_address_is_explained() -> None:
    log = "ldimm64 failed to find the address for kernel symbol 'runqueues'.\n"
    error = VerifierError(2, "load", log)
    explain_extern(error, linked("helped", [Insn(BPF_CALL_IMM)]), BOUND.externs)
    assert error.code == "kernel-variable-hidden"
    assert error.unresolved == "the kernel tells no address of its variable runqueues"
    assert error.remedy == "boot a kernel with CONFIG_KALLSYMS_ALL=y: others list no variables"


def test_modules_are_opened_once_and_closed() -> None:
    externs = Externs(SPECS, OUTCOMES | {"nowhere": KernelType(6, MODULE)}, (MODULE,))
    spec = object_of(maps=(MapSpec("x.kconfig", 2, 4, 8, 1, section=".kconfig"),))
    with FakeKernel() as kernel, ExitStack() as resources:
        kernel.on(Cmd.BTF_GET_FD_BY_ID, kernel.new_fd)
        bound = bind(externs, spec, {"x.kconfig": 9}, resources)
        assert [one.attr.btf_id for one in kernel.calls] == [77]
        assert (bound.kconfig_map, list(bound.module_fds)) == ("x.kconfig", [77])


def test_a_module_may_go_away() -> None:
    externs = Externs(SPECS, OUTCOMES, (MODULE,))
    gone = FakeKernel().on(Cmd.BTF_GET_FD_BY_ID, -2)
    with gone, ExitStack() as resources, pytest.raises(NotFoundError):
        bind(externs, object_of(), {}, resources)
