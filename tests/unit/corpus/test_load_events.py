"""The kernel's records of loaded programs."""

from __future__ import annotations

from tests.corpus.load_events import (
    BPF_EVENT,
    BPF_EVENT_HEAD,
    KSYMBOL,
    KSYMBOL_HEAD,
    RECORD,
    programs,
)

UNLOADED = 2


def record(kind: int, body: bytes) -> bytes:
    return RECORD.pack(kind, 0, RECORD.size + len(body)) + body


def ksymbol(name: str, flags: int = 0) -> bytes:
    padded = name.encode().ljust(len(name) // 8 * 8 + 8, b"\0")
    return record(KSYMBOL, KSYMBOL_HEAD.pack(0, 0, 1, flags) + padded)


def event(what: int, tag: str) -> bytes:
    return record(BPF_EVENT, BPF_EVENT_HEAD.pack(what, 0, 7, bytes.fromhex(tag)))


TAG, OTHER = "00112233445566ff", "ffffffffffffffff"


def test_the_first_function_names_a_program() -> None:
    data = ksymbol(f"bpf_prog_{OTHER}_my_prog") + ksymbol(f"bpf_prog_{OTHER}_helper")
    assert programs(data + event(1, TAG)) == [("my_prog", TAG)]


def test_what_has_no_name_or_goes_away_is_left_out() -> None:
    gone = ksymbol(f"bpf_prog_{TAG}_gone", flags=1) + event(UNLOADED, TAG)
    unnamed = ksymbol(f"bpf_prog_{TAG}") + event(1, TAG)
    assert programs(gone + unnamed + ksymbol(f"bpf_prog_{TAG}_kept") + event(1, OTHER)) == [
        ("kept", OTHER)
    ]
