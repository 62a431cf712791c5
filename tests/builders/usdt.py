"""A program for x86-64 with static probes, made by hand: no compiler, no headers."""

from __future__ import annotations

import struct

TEXT, DATA = 0x400000, 0x402000
CODE = 0x200  # where the instructions begin in the file
SEMAPHORE_AT = 0x1000  # in the file; at DATA in memory
# Exits with what the semaphore counts. The probes are the two nops, and one behind them.
INSNS = (
    bytes.fromhex("bf2a000000"),  # mov $42, %edi
    bytes.fromhex("48c7c685ffffff"),  # mov $-123, %rsi
    bytes.fromhex("6a09"),  # push $9
    b"\x90",  # first place
    bytes.fromhex("be07000000"),  # mov $7, %esi
    b"\x90",  # second place
    b"\x90",  # the other probe
    bytes.fromhex("0fb73c2500204000"),  # movzwl 0x402000, %edi
    bytes.fromhex("b83c0000000f05"),  # exit
)
FIRST = CODE + 14
SECOND = FIRST + 6
OTHER = SECOND + 1


def program(*, other_args: str = "") -> bytes:
    """Return the file: probes own:probe at two places, and own:other with a semaphore.

    Its symbol table has one variable: `counter`, the semaphore.
    """
    notes = b"".join(
        (
            _note(TEXT + FIRST, 0, "own", "probe", "-4@%edi 8@%rsi 8@(%rsp) 4@$5"),
            _note(TEXT + SECOND, 0, "own", "probe", "-4@%edi 4@%esi 8@(%rsp) 4@$6"),
            _note(TEXT + OTHER, DATA, "own", "other", other_args),
        )
    )
    names = b"\0.note.stapsdt\0.names\0counter\0"
    symbols = bytes(24) + struct.pack("<IBBHQQ", names.index(b"counter"), 0x11, 0, 1, DATA, 2)
    notes_at, names_at = 0x1100, 0x1100 + len(notes)
    symbols_at = names_at + len(names)
    sections_at = symbols_at + len(symbols)
    header = struct.pack(
        "<4sBBB9xHHIQQQIHHHHHH",
        *(b"\x7fELF", 2, 1, 1, 2, 62, 1, TEXT + CODE, 64, sections_at, 0, 64, 56, 2, 64, 4, 2),
    )
    segments = struct.pack("<IIQQQQQQ", 1, 5, 0, TEXT, TEXT, 0x300, 0x300, 0x1000)
    segments += struct.pack("<IIQQQQQQ", 1, 6, SEMAPHORE_AT, DATA, DATA, 16, 16, 0x1000)
    sections = bytes(64)
    sections += struct.pack("<IIQQQQIIQQ", 1, 7, 0, 0, notes_at, len(notes), 0, 0, 4, 0)
    sections += struct.pack("<IIQQQQIIQQ", 15, 3, 0, 0, names_at, len(names), 0, 0, 1, 0)
    sections += struct.pack("<IIQQQQIIQQ", 0, 2, 0, 0, symbols_at, len(symbols), 2, 1, 8, 24)
    text = (header + segments).ljust(CODE, b"\0") + b"".join(INSNS)
    return text.ljust(0x1100, b"\0") + notes + names + symbols + sections


def _note(place: int, semaphore: int, provider: str, name: str, args: str) -> bytes:
    texts = b"".join(text.encode() + b"\0" for text in (provider, name, args))
    body = struct.pack("<QQQ", place, 0, semaphore) + texts
    head = struct.pack("<III", 8, len(body), 3) + b"stapsdt\0"
    return head + body + bytes(-len(body) % 4)
