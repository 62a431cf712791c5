from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any, Self

import pytest

from bpfctl.asm.insn import Insn
from bpfctl.errors import NotSupportedError, VerifierError
from bpfctl.explain.rejection import explain_rejection
from bpfctl.explain.verifier_who_may import add_who_may
from bpfctl.features import helpers, prober
from bpfctl.linux import kconfig
from bpfctl.linux.kconfig import KernelConfig

if TYPE_CHECKING:
    from bpfctl.features.programs import ProgramProbe


class Prober:
    """Stands in for the kernel: XDP programs may call everything."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *ignored: object) -> None:
        return

    def target_id(self, names: tuple[str, ...]) -> int:
        return 7 if names == ("bpf_dynptr_from_skb",) else 0

    def request(self, prog_type: int, code: bytes, **ignored: object) -> tuple[int, bytes]:
        return int(prog_type), bytes(code)

    def ask(self, request: tuple[int, bytes]) -> tuple[int, bytes]:
        kind, code = request
        if kind == 1:
            return errno.EINVAL, b""  # this kernel does not have that type
        allowed = kind == 6
        if code[1] >> 4 == 2:
            assert code == Insn(0x85, src=2, imm=7).pack() + code[8:]
            words = b"bpf_dynptr_from_skb#7\n" + (
                b"R1 !read_ok" if allowed else b"calling kernel function x is not allowed"
            )
            return errno.EINVAL, words
        assert code[4] == 23
        return errno.EINVAL, b"R1 !read_ok" if allowed else b"unknown func bpf_redirect#23"


def refused(words: str) -> VerifierError:
    return explain_rejection(VerifierError(errno.EINVAL, "load", f"0: (85) call x#1\n{words}\n"))


@pytest.mark.parametrize(
    ("words", "names"),
    [
        pytest.param("unknown func bpf_redirect#23", ("xdp",), id="helper"),
        pytest.param("program of this type cannot use helper bpf_redirect#23", ("xdp",), id="6.10"),
        pytest.param(
            "calling kernel function bpf_dynptr_from_skb is not allowed", ("xdp",), id="kfunc"
        ),
        pytest.param("calling kernel function bpf_elsewhere is not allowed", (), id="of a module"),
        pytest.param("unknown func bpf_trace_printk#6", (), id="one that makes the kernel warn"),
        pytest.param("R0 !read_ok", (), id="another rule"),
    ],
)
def test_the_kernel_is_asked_who_may(
    words: str, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prober, "Prober", Prober)
    error = refused(words)
    add_who_may(error)
    assert error.rejection is not None
    assert error.rejection.who_may == names


def test_what_cannot_be_asked_stays_unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*ignored: Any) -> list[ProgramProbe]:
        raise NotSupportedError("anything")

    monkeypatch.setattr(prober, "Prober", Prober)
    monkeypatch.setattr(helpers, "one_of_each_type", refuse)
    error = refused("unknown func bpf_redirect#23")
    add_who_may(error)
    assert error.rejection is not None
    assert error.rejection.who_may == ()


@pytest.mark.parametrize(
    ("options", "code", "words", "evidence"),
    [
        pytest.param(
            {},
            "verifier-helper-unknown",
            "rejected: this kernel was built without bpf_override_return()",
            ["CONFIG_BPF_KPROBE_OVERRIDE is not set in /boot/config"],
            id="not built",
        ),
        pytest.param(
            {"CONFIG_BPF_KPROBE_OVERRIDE": "y"},
            "verifier-helper-not-allowed",
            "rejected: programs of this type may not call bpf_override_return()",
            [],
            id="built",
        ),
    ],
)
def test_a_helper_that_was_not_built(
    options: dict[str, str],
    code: str,
    words: str,
    evidence: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(prober, "Prober", Prober)
    monkeypatch.setattr(helpers, "types_with_helper", lambda *_: [])
    monkeypatch.setattr(kconfig, "kernel_config", lambda: KernelConfig("/boot/config", options))
    error = refused("unknown func bpf_override_return#58")
    told = list(error.evidence)
    add_who_may(error)
    assert (error.code, error.message) == (code, words)
    assert error.evidence == [*told, *evidence]
    assert error.rejection is not None
    assert error.rejection.change == error.remedy
