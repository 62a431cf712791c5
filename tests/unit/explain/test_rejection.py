from __future__ import annotations

import errno

import pytest

from bpfctl.asm.insn import BPF_CALL_IMM, BPF_EXIT_INSN, Insn, encode, ld_imm64
from bpfctl.errors import VerifierError
from bpfctl.explain.rejection import explain_rejection
from bpfctl.rejected import Place, ProgramCode, SourceLine

LOOKUP = SourceLine("x.bpf.c", 16, 17, "\t__u64 *value = bpf_map_lookup_elem(&values, &key);")
USE = SourceLine("x.bpf.c", 18, 16, "\treturn (int)*value;")
CODE = ProgramCode(
    encode(
        [
            *ld_imm64(1, 0),
            Insn(BPF_CALL_IMM, imm=1),
            Insn(0x79, 0, 0),
            Insn(BPF_EXIT_INSN),
        ]
    ),
    lines=((0, LOOKUP), (3, USE)),
    functions=((0, "main"),),
    maps=((0, "values"),),
)
NEW = """0: R1=ctx() R10=fp0
; __u64 *value = bpf_map_lookup_elem(&values, &key); @ x.bpf.c:16
0: (18) r1 = 0xffff88813a05d000       ; R1=map_ptr(map=values,ks=4,vs=8)
2: (85) call bpf_map_lookup_elem#1    ; R0=map_value_or_null(id=1,map=values,ks=4,vs=8)
; return (int)*value; @ x.bpf.c:18
3: (79) r0 = *(u64 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'
"""
OLD = """; __u64 *value = bpf_map_lookup_elem(&values, &key);
0: (18) r1 = 0xffff8d5482702c00
2: (85) call bpf_map_lookup_elem#1
; return (int)*value;
3: (79) r0 = *(u64 *)(r0 +0)
R0 invalid mem access 'map_value_or_null'
"""
REPORT = """
Verification failed: Register Type Safety: Invalid dereference

Reason:
  R0 may be NULL here (a nullable map value pointer). The program could dereference NULL on this
  path, so the verifier cannot prove this access is safe.

At:
  main @ x.bpf.c:18:14

Suggestion:
  Add a NULL check before the access and dereference the pointer only on the non-NULL path.

"""
STATISTICS = (
    "processed 4 insns (limit 1000000) max_states_per_insn 0 total_states 0 peak_states 0\n"
)


def rejected(log: str, code: ProgramCode | None = CODE, **context: object) -> VerifierError:
    """Return the explained error of a log."""
    error = VerifierError(errno.EACCES, "load program main", log, **context)  # type: ignore[arg-type]  # passed on
    if code is not None:
        error.knowing(code)
    return explain_rejection(error)


@pytest.mark.parametrize(
    "log",
    [
        pytest.param(OLD + STATISTICS, id="5.10"),
        pytest.param(NEW + STATISTICS, id="6.18"),
        pytest.param(NEW + REPORT + STATISTICS, id="7.3"),
    ],
)
def test_a_missing_null_check_is_told_whole_by_every_kernel(log: str) -> None:
    error = rejected(log)
    assert (error.code, error.message, error.remedy) == (
        "verifier-null-check-missing",
        "rejected: R0 may be NULL here",
        "test the pointer before use:  if (!value) return 0;",
    )
    found = error.rejection
    assert found is not None
    assert (found.insn, found.source, found.access) == (3, USE, "8-byte read through R0")
    words = "bpf_map_lookup_elem(values) returns a pointer into a map value, or NULL"
    assert found.origin == Place(2, words, LOOKUP)
    assert found.path == (
        Place(2, "call bpf_map_lookup_elem(values)", LOOKUP),
        Place(3, "r0 = *(u64 *)(r0 +0)", USE),
    )
    assert found.untested


def test_the_state_of_registers_is_given_where_the_log_has_it() -> None:
    found = rejected(NEW).rejection
    assert found is not None
    assert dict(found.registers) == {
        "R10": "fp0",
        "R0": "map_value_or_null(id=1,map=values,ks=4,vs=8)",
    }


def test_old_kernels_tell_registers_in_a_log_of_their_own() -> None:
    states = "3: R0_w=map_value_or_null(id=1,off=0,ks=4,vs=8,imm=0) R10=fp0\n"
    found = rejected(OLD, states=OLD.replace("3: (79)", states + "3: (79)")).rejection
    assert found is not None
    assert dict(found.registers) == {
        "R0": "map_value_or_null(id=1,off=0,ks=4,vs=8,imm=0)",
        "R10": "fp0",
    }


def test_the_report_of_the_kernel_comes_through_unharmed() -> None:
    found = rejected(NEW + REPORT + STATISTICS).rejection
    assert found is not None
    assert found.kernel is not None
    assert found.kernel.text == REPORT.strip("\n")
    assert found.kernel.headline == "Register Type Safety: Invalid dereference"
    assert found.kernel.reason == (
        "R0 may be NULL here (a nullable map value pointer). The program could dereference NULL on "
        "this path, so the verifier cannot prove this access is safe."
    )
    assert found.kernel.suggestion == (
        "Add a NULL check before the access and dereference the pointer only on the non-NULL path."
    )


def test_a_message_nobody_knows_has_its_place_all_the_same() -> None:
    error = rejected(NEW.replace("R0 invalid mem access 'map_value_or_null'", "no such words"))
    assert (error.code, error.message) == ("verifier-rejected", "rejected: no such words")
    assert error.evidence == ["insn 3, x.bpf.c:18    return (int)*value;"]
    assert error.rejection is not None
    assert error.rejection.source == USE


def test_of_a_message_nobody_knows_the_kernel_may_know_more() -> None:
    log = NEW.replace("R0 invalid mem access 'map_value_or_null'", "no such words")
    error = rejected(log + REPORT + STATISTICS)
    assert error.message == "rejected: Register Type Safety: Invalid dereference"
    assert error.remedy is not None
    assert error.remedy.startswith("Add a NULL check before")


def test_without_words_there_is_the_errno() -> None:
    error = rejected("processed 0 insns\n", None)
    assert (error.code, error.message, error.evidence) == (
        "verifier-rejected",
        "rejected: EACCES",
        [],
    )


@pytest.mark.parametrize(
    ("count", "number", "code"),
    [
        pytest.param(65, errno.E2BIG, "verifier-map-use", id="too many"),
        pytest.param(64, errno.E2BIG, "verifier-rejected", id="as many as there may be"),
        pytest.param(65, errno.EINVAL, "verifier-rejected", id="another errno"),
    ],
)
def test_too_many_maps_are_counted_where_the_kernel_has_no_words(
    count: int, number: int, code: str
) -> None:
    error = VerifierError(number, "load", "processed 0 insns (limit 1000000)\n")
    error.knowing(ProgramCode(b"", maps=tuple((at, f"m{at}") for at in range(count))))
    explain_rejection(error)
    assert error.code == code
    assert (f"the program uses {count} maps" in error.message) is (code == "verifier-map-use")


def test_what_the_loader_could_not_resolve_stays_the_headline() -> None:
    log = "1: (85) call unknown#195896080\ninvalid func unknown#195896080\n"
    error = VerifierError(
        errno.EINVAL,
        "load program main",
        log,
        code="core-relocation-unresolved",
        evidence=["a has no member b"],
        remedy="guard it",
    )
    error.unresolved = "nothing in this kernel fits struct a.b"
    explain_rejection(error)
    assert (error.code, error.message, error.remedy) == (
        "core-relocation-unresolved",
        "rejected: nothing in this kernel fits struct a.b",
        "guard it",
    )
    assert error.evidence[-1] == "a has no member b"


def test_a_log_that_lost_its_end_tells_no_place() -> None:
    error = rejected(
        "0: (18) r1 = 0x0\n2: (85) call bpf_map_lookup_elem#1\n",
        reason="R0 invalid mem access 'map_value_or_null'\n",
        missing_bytes=None,
        kept_beginning=True,
    )
    found = error.rejection
    assert (error.code, error.insn, error.file) == ("verifier-null-check-missing", None, None)
    assert found is not None
    assert (found.insn, found.source, found.origin, found.path) == (None, None, None, ())


def test_a_log_that_lost_its_end_may_name_the_place() -> None:
    error = rejected(
        "0: (18) r1 = 0x0\n",
        reason="infinite loop detected at insn 3\n",
        missing_bytes=None,
        kept_beginning=True,
    )
    assert (error.insn, error.line) == (3, 18)


@pytest.mark.parametrize(
    ("first", "missing"),
    [
        pytest.param("", 77, id="the kernel cut it"),
        pytest.param("", 0, id="it begins in the middle"),
        pytest.param("0: (b7) r1 = 1\n", 77, id="it begins with a loop"),
    ],
)
def test_a_log_that_lost_its_beginning_may_not_tell_the_origin(first: str, missing: int) -> None:
    error = rejected(
        f"{first}3: (79) r0 = *(u64 *)(r0 +0)\nR0 invalid mem access 'map_value_or_null'\n",
        missing_bytes=missing,
    )
    found = error.rejection
    assert error.insn == 3
    assert found is not None
    assert found.origin is None


def test_the_reason_may_come_from_another_log() -> None:
    error = rejected(
        "0: (05) goto pc-1\n" * 3,
        reason="BPF program is too large. Processed 1000001 insn\n",
        missing_bytes=None,
        kept_beginning=True,
    )
    assert error.code == "verifier-too-complex"
    assert error.rejection is not None
    assert error.rejection.hot[0].insns == 3
