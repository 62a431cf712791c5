"""Broken type information ends in a BtfError or a value: never in a traceback, never in a hang."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bpfctl.btf import types as t
from bpfctl.btf.c_dump import c_header
from bpfctl.btf.core import CoreTarget
from bpfctl.btf.core_needs import Needs
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.btf.ext import BtfExt
from bpfctl.btf.facts import all_facts
from bpfctl.btf.history import HISTORY
from bpfctl.btf.merge import merged
from bpfctl.btf.sanitize import sanitize
from bpfctl.btf.shown import shown_type
from bpfctl.errors import BtfError, RelocationError
from tests.builders.btf import DATA, build, objects, raw, record, section

if TYPE_CHECKING:
    from collections.abc import Callable

bounded = settings(deadline=None, max_examples=600, suppress_health_check=[HealthCheck.too_slow])


def kernel_like() -> bytes:
    """Make what a kernel's BTF is made of: structs that point at each other, enums, functions."""
    builder = BtfBuilder()
    number = builder.add(t.Int(0, "int", 4, 1, 0, 32))
    for index in range(12):
        struct = builder.add(t.Fwd(0, f"node{index}"))
        pointer = builder.add(t.Ptr(0, "", builder.add(t.Const(0, "", struct))))
        links = tuple(t.Member(f"link{i}", pointer, 64 * i) for i in range(index))
        builder.add(t.Struct(0, f"node{index}", 8 * index, links))
        params = (t.Param("self", pointer), t.Param("count", number))
        proto = builder.add(t.FuncProto(0, "", number, params))
        builder.add(t.Func(0, f"node{index}_walk", proto, t.FuncLinkage.STATIC))
    return builder.build()


BLOBS = [build(), build(order=">"), kernel_like()] + [
    section(path, ".BTF") for path in objects()[:6]
]
CORE = DATA / "core.bpf.o"
EXTS = [(section(path, ".BTF"), section(path, ".BTF.ext")) for path in objects()[:6]]


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Flip bits of a blob, overwrite words in it with numbers that hurt, and at times cut it.

    Most leave the header alone, or little would get past it.
    """
    data = bytearray(whole)
    first = draw(st.sampled_from([0, 24, 24, 24]))
    for _ in range(draw(st.integers(0, 4))):
        data[draw(st.integers(first, len(data) - 1))] ^= 1 << draw(st.integers(0, 7))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(first // 4, len(data) // 4 - 1)) * 4
        word = draw(st.sampled_from([0, 1, 2**16 - 1, 2**24, 2**31, 2**32 - 1, len(data)]))
        data[at : at + 4] = word.to_bytes(4, draw(st.sampled_from(["little", "big"])))
    whole_or_cut = st.one_of(st.just(len(data)), st.just(len(data)), st.integers(0, len(data)))
    return bytes(data[: draw(whole_or_cut)])


damaged_blobs = st.sampled_from(BLOBS).flatmap(damaged)


def ask_all(data: bytes) -> None:
    """Ask everything that can be asked about a blob; each answer may be a BtfError."""
    try:
        btf = Btf.parse(data, path="fuzz.o")
    except BtfError:
        return
    asks: list[Callable[[int], object]] = [
        btf.type, btf.name, btf.kind_number, btf.skip_modifiers, btf.size_of, btf.is_signed,
        btf.func_proto, btf.type_name, btf.record_offset, lambda i: btf.member(i, "link3"),
        lambda i: btf.find_flavors(btf.name(i)), lambda i: btf.find_all(btf.name(i)),
    ]  # fmt: skip
    for type_id in range(len(btf) + 1):
        for ask in asks:
            answer_or_error(ask, type_id)
    answer_or_error(lambda _: btf.validate(), 0)
    answer_or_error(lambda _: sanitize(data, frozenset(HISTORY)), 0)
    answer_or_error(lambda _: all_facts(btf), 0)
    answer_or_error(lambda _: list(c_header(btf)), 0)
    for type_id in range(1, min(len(btf), 4)):  # what is opened without end takes its time
        answer_or_error(lambda i: shown_type(btf, i, expand=True).to_json(), type_id)


@bounded
@given(damaged_blobs, damaged_blobs)
def test_modules_made_of_anything(one: bytes, other: bytes) -> None:
    base = Btf.parse(BLOBS[0])
    with contextlib.suppress(BtfError):
        merged(base, [Btf.parse(data, base=base, path="fuzz.o") for data in (one, other)])


@bounded
@given(damaged(section(CORE, ".BTF")))
def test_what_an_object_needs_of_damaged_types(data: bytes) -> None:
    local = Btf.parse(section(CORE, ".BTF"))
    relos = BtfExt.parse(section(CORE, ".BTF.ext"), local, "fuzz.o").core_relos
    assert relos
    try:
        needs = Needs(CoreTarget(Btf.parse(data, path="fuzz.o")))
    except BtfError:
        return
    for one in (relo for some in relos.values() for relo in some):
        with contextlib.suppress(BtfError, RelocationError):
            needs.add(local, one)
    answer_or_error(lambda _: needs.build(), 0)


def answer_or_error(ask: Callable[[int], object], type_id: int) -> None:
    with contextlib.suppress(BtfError):
        ask(type_id)


@bounded
@given(damaged_blobs)
def test_damaged_blobs(data: bytes) -> None:
    ask_all(data)


@bounded
@given(st.binary(max_size=200), st.sampled_from(["<", ">"]))
def test_random_records(noise: bytes, order: str) -> None:
    words = [int.from_bytes(noise[i : i + 4], "little") for i in range(0, len(noise) - 3, 4)]
    ask_all(raw(words, b"\0a\0b___c\0", order=order))


words = st.one_of(st.integers(0, 9), st.integers(0, 2**32 - 1))
records = st.builds(
    lambda kind, vlen, refers, name, flag, fill: record(
        kind, vlen, refers, *(fill * 9)[: t_words(kind, vlen)], name=name, flag=flag
    ),
    st.sampled_from([int(kind) for kind in t.Kind if kind]),
    st.integers(0, 3),
    words,
    st.integers(0, 9),
    st.integers(0, 1),
    st.lists(words, min_size=1, max_size=9),
)


def t_words(kind: int, vlen: int) -> int:
    from bpfctl.btf.layout import TAIL_WORDS

    fixed, each = TAIL_WORDS[kind]
    return fixed + each * vlen


@bounded
@given(st.lists(records, max_size=12))
@example([record(t.Kind.ARRAY, 0, 0, 1, 1, 2**32 - 1)] * 12)
@example([record(t.Kind.STRUCT, 3, 4, 0, 1, 0, 0, 1, 0, 0, 1, 0)] * 12)
def test_well_formed_records_with_wild_contents(made: list[list[int]]) -> None:
    """Here the walk succeeds, so that circles, wild ids and wild sizes are reached."""
    ask_all(raw([word for one in made for word in one], b"\0a\0b___c\0"))


@bounded
@given(st.sampled_from(EXTS).flatmap(lambda pair: st.tuples(st.just(pair[0]), damaged(pair[1]))))
def test_damaged_ext(pair: tuple[bytes, bytes]) -> None:
    btf = Btf.parse(pair[0])
    try:
        found = BtfExt.parse(pair[1], btf, "fuzz.o")
    except BtfError:
        return
    for by_section in (found.func_info, found.line_info, found.core_relos):
        assert sum(len(records) for records in by_section.values()) <= len(pair[1]) // 8


@pytest.mark.parametrize("data", BLOBS, ids=range(len(BLOBS)))
def test_every_cut_is_survived(data: bytes) -> None:
    step = max(1, len(data) // 150)
    for end in range(0, len(data), step):
        with pytest.raises(BtfError):
            Btf.parse(data[:end])
