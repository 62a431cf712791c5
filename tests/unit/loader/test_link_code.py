from __future__ import annotations

import struct

import pytest

from bpfctl.elf.spec import FunctionSpec, Reloc, RelocKind
from bpfctl.errors import RelocationError
from bpfctl.loader.link_code import link, reachable
from tests.unit.loader.objects import CALL, EXIT, LD_IMM64, address, call, function, object_of


def code_of(one: FunctionSpec) -> bytes:
    return one.code


def imm(code: bytes | bytearray, index: int) -> int:
    return int(struct.unpack_from("<i", code, index * 8 + 4)[0])


def test_subprograms_follow_depth_first_in_the_order_of_first_calls() -> None:
    spec = object_of(
        function(".text:d", EXIT),
        function(".text:b", CALL + EXIT, call(0, ".text:d")),
        function(".text:c", CALL + EXIT, call(0, ".text:b")),
        function("xdp:main", CALL + CALL + CALL + EXIT, call(1, ".text:c"), call(0, ".text:b"),
                 call(2, ".text:d")),
    )  # fmt: skip
    linked = link(spec, "xdp:main", code_of)
    assert [(one.function.name, one.insn_offset) for one in linked.placed] == [
        ("main", 0),
        ("b", 4),
        ("d", 6),
        ("c", 7),
    ]
    assert [imm(linked.code, i) for i in (0, 1, 2, 4, 7)] == [3, 5, 3, 1, -4]
    assert linked.relocs == ()


def test_address_of_a_function_is_relative_and_marked() -> None:
    spec = object_of(
        function("xdp:main", EXIT + LD_IMM64 + EXIT, address(1, ".text:f")),
        function(".text:f", EXIT),
    )
    linked = link(spec, "xdp:main", code_of)
    assert linked.code[8:16] == bytes([0x18, 0x41, 0, 0, 2, 0, 0, 0])


def test_static_functions_of_one_name_stay_apart() -> None:
    spec = object_of(
        function("xdp:main", CALL + EXIT, call(0, "xdp:help")),
        function("xdp:help", EXIT),
        function(".text:help", EXIT + EXIT),
    )
    assert len(link(spec, "xdp:main", code_of).code) == 3 * 8


def test_recursion_ends() -> None:
    spec = object_of(
        function("xdp:main", CALL + EXIT, call(0, ".text:a")),
        function(".text:a", CALL + CALL + EXIT, call(0, ".text:a"), call(1, "xdp:main")),
    )
    linked = link(spec, "xdp:main", code_of)
    assert [imm(linked.code, i) for i in (0, 2, 3)] == [1, -1, -4]


def test_a_long_chain_needs_no_stack() -> None:
    chain = [function(f".text:{i}", CALL + EXIT, call(0, f".text:{i + 1}")) for i in range(5000)]
    spec = object_of(*chain, function(".text:5000", EXIT))
    assert len(reachable(spec, ".text:0")) == 5001


def test_changed_code_is_what_gets_linked() -> None:
    spec = object_of(function("xdp:main", EXIT))
    assert link(spec, "xdp:main", lambda _: bytes(8)).code == bytes(8)


def test_references_to_maps_are_left_with_their_new_index() -> None:
    reloc = Reloc(0, RelocKind.MAP, "counts")
    spec = object_of(
        function("xdp:main", CALL + EXIT, call(0, ".text:f")),
        function(".text:f", LD_IMM64 + EXIT, reloc),
    )
    assert link(spec, "xdp:main", code_of).relocs == ((2, reloc),)


@pytest.mark.parametrize(
    ("relocs", "words"),
    [
        pytest.param((call(0, ".text:gone"),), "not in the object", id="no such function"),
        pytest.param((call(2, "xdp:main"),), "outside of function", id="call behind the end"),
        pytest.param((address(1, "xdp:main"),), "outside of function", id="half an ld_imm64"),
        pytest.param((call(-1, "xdp:main"),), "outside of function", id="before the beginning"),
    ],
)
def test_broken_references(relocs: tuple[Reloc, ...], words: str) -> None:
    spec = object_of(function("xdp:main", CALL + EXIT, *relocs))
    with pytest.raises(RelocationError, match=words):
        link(spec, "xdp:main", code_of)


def test_the_callback_for_exceptions_comes_last() -> None:
    spec = object_of(
        function("tc:main", CALL + EXIT, call(0, ".text:a"), exception_callback=".text:handler"),
        function(".text:handler", CALL + EXIT, call(0, ".text:b")),
        function(".text:a", EXIT),
        function(".text:b", EXIT),
    )
    assert [one.name for one in reachable(spec, "tc:main")] == ["main", "a", "handler", "b"]


def test_a_callback_that_is_called_too_is_there_once() -> None:
    spec = object_of(
        function("tc:main", CALL + EXIT, call(0, ".text:h"), exception_callback=".text:h"),
        function(".text:h", EXIT),
    )
    assert [one.name for one in reachable(spec, "tc:main")] == ["main", "h"]


def test_only_the_program_itself_has_a_callback() -> None:
    spec = object_of(
        function("tc:main", CALL + EXIT, call(0, ".text:a")),
        function(".text:a", EXIT, exception_callback=".text:h"),
        function(".text:h", EXIT),
    )
    assert [one.name for one in reachable(spec, "tc:main")] == ["main", "a"]
