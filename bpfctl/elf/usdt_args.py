"""Where the arguments of a static probe are, as programs compiled for libbpf want it told.

Source: struct __bpf_usdt_spec of libbpf's usdt.bpf.h (1.0; indexed arguments 1.7), and the
operands of the GNU assembler. Registers are named by their places in struct pt_regs
(arch/x86/include/uapi/asm/ptrace.h, arch/arm64/include/uapi/asm/ptrace.h).
"""

from __future__ import annotations

import re
import struct

from bpfctl.errors import NotYetError
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

SPEC_BYTES: Final = 208
MAX_ARGS: Final = 12
_ARG: Final = struct.Struct("<QBBBBhBb")
_TAIL: Final = struct.Struct("<Qh6x")
_CONST, _REG, _DEREF, _INDEXED = range(4)

_X86_PLACES: Final = {
    "r15": 0, "r14": 8, "r13": 16, "r12": 24, "bp": 32, "bx": 40, "r11": 48, "r10": 56, "r9": 64,
    "r8": 72, "ax": 80, "cx": 88, "dx": 96, "si": 104, "di": 112, "ip": 128, "sp": 152,
}  # fmt: skip


def _x86_registers() -> dict[str, int]:
    found: dict[str, int] = {}
    for name, place in _X86_PLACES.items():
        if name[1:].isdigit():
            found |= dict.fromkeys((name, f"{name}d", f"{name}w", f"{name}b"), place)
        else:
            low = f"{name[0]}l" if name.endswith("x") else f"{name}l"
            found |= dict.fromkeys((f"r{name}", f"e{name}", name, low), place)
    return found


_X86: Final = _x86_registers()
_ARM64: Final = {f"x{n}": 8 * n for n in range(31)} | {f"w{n}": 8 * n for n in range(31)}
_REGISTERS: Final = {"x86_64": _X86, "aarch64": _ARM64 | {"sp": 248, "wsp": 248}}

_SIZE: Final = r"(-?[1248])@"
_NUMBER: Final = r"(-?(?:0x[0-9a-fA-F]+|\d+))"
_X86_FORMS: Final = (
    re.compile(rf"{_SIZE}\${_NUMBER}"),
    re.compile(rf"{_SIZE}%(\w+)"),
    re.compile(rf"{_SIZE}{_NUMBER}?\(%(\w+)\)"),
    re.compile(rf"{_SIZE}{_NUMBER}?\(%(\w+),%(\w+)(?:,([1248]))?\)"),
)
_ARM64_FORMS: Final = (
    re.compile(rf"{_SIZE}{_NUMBER}"),
    re.compile(rf"{_SIZE}([a-z]\w*)"),
    re.compile(rf"{_SIZE}\[([a-z]\w*)(?:,\s*{_NUMBER})?\]"),
)
_RELATIVE: Final = re.compile(
    r"@(?P<before>-?\d+[+])?(?P<name>[A-Za-z_.$][\w.$]*)(?P<after>[+-]\d+)?\(%rip\)"
)
_SPLIT: Final = re.compile(r"\s+(?=-?[1248]@)")  # arm64 writes "[sp, 20]"


class _Arg(NamedTuple):
    kind: int
    value: int = 0
    register: int = 0
    index_register: int = 0
    scale_shift: int = 0


def usdt_spec(args: str, cookie: int, machine: str) -> bytes:
    """Return the bytes of a `struct __bpf_usdt_spec` for a probe's arguments.

    Raises: NotYetError for an argument in a form we cannot read, or for another machine.
    """
    words = [word.strip() for word in _SPLIT.split(args.strip()) if word.strip()]
    if len(words) > MAX_ARGS:
        raise NotYetError(f"a static probe with {len(words)} arguments (up to {MAX_ARGS})")
    packed = b"".join(_pack(word, machine) for word in words)
    return packed.ljust(MAX_ARGS * _ARG.size, b"\0") + _TAIL.pack(cookie, len(words))


def with_distances(args: str, distance: Callable[[str], int | None]) -> str:
    """Write variables ("4@count+8(%rip)") as places relative to the probe, as libbpf does not.

    `distance` tells how many bytes a variable is behind the probe, None where that is not known:
    such arguments stay as they are. The program counter is the probe's when it is hit.
    """

    def replaced(match: re.Match[str]) -> str:
        far = distance(match["name"])
        if far is None:
            return match[0]
        before, after = (int((match[one] or "0").strip("+")) for one in ("before", "after"))
        return f"@{far + before + after}(%rip)"

    return _RELATIVE.sub(replaced, args)


def _pack(word: str, machine: str) -> bytes:
    arg = _read(word, machine)
    if arg is None:
        variable = _RELATIVE.search(word)
        name = variable["name"] if variable else ""
        raise NotYetError(
            f'the argument "{word}" of a static probe',
            evidence=[f"the file's symbols name no single place {name}"] if name else [],
        )
    size = int(word.partition("@")[0])
    return _ARG.pack(
        arg.value & 0xFFFFFFFFFFFFFFFF,
        arg.kind,
        arg.index_register & 0xFF,
        arg.index_register >> 8 & 0xF | arg.scale_shift << 4,
        0,
        arg.register,
        size < 0,
        64 - abs(size) * 8,
    )


def _read(word: str, machine: str) -> _Arg | None:
    registers = _REGISTERS.get(machine, {})
    try:
        return _arm64(word, registers) if machine == "aarch64" else _x86(word, registers)
    except KeyError:  # no register of that name
        return None


def _x86(word: str, registers: dict[str, int]) -> _Arg | None:
    const, register, memory, indexed = (form.fullmatch(word) for form in _X86_FORMS)
    if const:
        return _Arg(_CONST, int(const[2], 0))
    if register:
        return _Arg(_REG, 0, registers[register[2]])
    if memory:
        return _Arg(_DEREF, int(memory[2] or "0", 0), registers[memory[3]])
    if indexed:
        shift = int(indexed[5] or "1").bit_length() - 1
        value, base, index = int(indexed[2] or "0", 0), registers[indexed[3]], registers[indexed[4]]
        return _Arg(_INDEXED, value, base, index, shift)
    return None


def _arm64(word: str, registers: dict[str, int]) -> _Arg | None:
    const, register, memory = (form.fullmatch(word) for form in _ARM64_FORMS)
    if const:
        return _Arg(_CONST, int(const[2], 0))
    if register:
        return _Arg(_REG, 0, registers[register[2]])
    if memory:
        return _Arg(_DEREF, int(memory[3] or "0", 0), registers[memory[2]])
    return None
