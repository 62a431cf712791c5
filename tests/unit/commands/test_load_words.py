"""The words and options of `prog load`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from bpfctl.commands.load_options import parse_owners, parse_sizes, parse_targets
from bpfctl.commands.load_words import LoadWords, parse_load_words

from bpfctl.elf.section_table import BY_NAME
from bpfctl.elf.spec import MapSpec
from bpfctl.errors import NotFoundError, UsageError
from bpfctl.kernel.uapi import MapType
from bpfctl.loader.attach_target import TargetWish
from bpfctl.objects.ids import ObjectKind
from bpfctl.objects.select import Selector
from tests.unit.loader.objects import object_of

if TYPE_CHECKING:
    from collections.abc import Callable

SEVEN = Selector(ObjectKind.MAP, "id", "7")
PINNED = Selector(ObjectKind.MAP, "pinned", "/sys/fs/bpf/m")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        pytest.param("", LoadWords("o", "p"), id="nothing"),
        pytest.param("pinmaps d", LoadWords("o", "p", pinmaps="d"), id="pinmaps"),
        pytest.param("type xdp", LoadWords("o", "p", type="xdp"), id="type"),
        pytest.param("kernel_btf f", LoadWords("o", "p", kernel_btf="f"), id="kernel_btf"),
        pytest.param("dev lo", LoadWords("o", "p", device="lo", offload=True), id="dev"),
        pytest.param(
            "offload_dev lo", LoadWords("o", "p", device="lo", offload=True), id="offload_dev"
        ),
        pytest.param("xdpmeta_dev lo", LoadWords("o", "p", device="lo"), id="xdpmeta_dev"),
        pytest.param("map idx 0 id 7", LoadWords("o", "p", reuse=((0, SEVEN),)), id="map idx"),
        pytest.param(
            "map name a 7 map name b pinned /sys/fs/bpf/m type tc",
            LoadWords("o", "p", reuse=(("a", SEVEN), ("b", PINNED)), type="tc"),
            id="several",
        ),
    ],
)
def test_words_of_bpftool(words: str, found: LoadWords) -> None:
    assert parse_load_words(["o", "p", *words.split()]) == found


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param("pinmaps", '"pinmaps" wants a directory after it', id="no value"),
        pytest.param("pinmops x", '"pinmops" is one word too many', id="unknown"),
        pytest.param("type a type b", '"type" says again what was said before', id="twice"),
        pytest.param("dev a xdpmeta_dev b", '"xdpmeta_dev" says again', id="two devices"),
        pytest.param("map", '"map" wants "idx N MAP" or "name NAME MAP"', id="bare map"),
        pytest.param("map id 7", '"map" wants "idx N MAP" or "name NAME MAP"', id="no place"),
        pytest.param("map idx x 7", '"x" is no position of a map', id="no number"),
        pytest.param("map idx -1 7", '"-1" is no position of a map', id="negative"),
        pytest.param("map name a", "which map?", id="no map"),
    ],
)
def test_words_that_make_no_sense(words: str, message: str) -> None:
    with pytest.raises(UsageError) as raised:
        parse_load_words(["o", "p", *words.split()])
    assert message in raised.value.message


def test_a_type_is_a_section_name() -> None:
    assert LoadWords("o", "p", type="kprobe/").prog_type is BY_NAME["kprobe"]
    assert LoadWords("o", "p").prog_type is None
    with pytest.raises(UsageError, match='"kprob" is no program type') as raised:
        _ = LoadWords("o", "p", type="kprob").prog_type
    assert raised.value.remedy == "did you mean kprobe?"


def test_maps_are_found_by_position() -> None:
    spec = object_of(maps=(MapSpec("first", MapType.ARRAY, 4, 4, 1),))
    assert LoadWords("o", "p", reuse=((0, SEVEN),)).reused(spec) == {"first": SEVEN}
    with pytest.raises(UsageError, match="there is no map 1: the object has 1"):
        LoadWords("o", "p", reuse=((1, SEVEN),)).reused(spec)


def test_devices_are_found_by_name() -> None:
    assert LoadWords("o", "p").ifindex == 0
    assert LoadWords("o", "p", device="lo").ifindex == 1
    with pytest.raises(NotFoundError, match="there is no network device nodev0"):
        _ = LoadWords("o", "p", device="nodev0").ifindex


def program(by: str, value: str) -> Selector:
    return Selector(ObjectKind.PROG, by, value)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("do_unlinkat", {"": TargetWish("do_unlinkat")}),
        ("main=do_unlinkat", {"main": TargetWish("do_unlinkat")}),
        ("7:work", {"": TargetWish("work", program("id", "7"))}),
        ("main=xdp_main:work", {"main": TargetWish("work", program("name", "xdp_main"))}),
        ("/a=b/c:work", {"": TargetWish("work", program("pinned", "/a=b/c"))}),
        ("/a:b:", {"": TargetWish("", program("pinned", "/a:b"))}),
    ],
)
def test_targets(word: str, found: dict[str, TargetWish]) -> None:
    assert parse_targets([word]) == found


def test_sizes() -> None:
    assert parse_sizes(["a=1", "x.y=0x10"]) == {"a": 1, "x.y": 16}


def test_owners() -> None:
    assert parse_owners(["a=main", "x.y=other"]) == {"a": "main", "x.y": "other"}


@pytest.mark.parametrize(
    ("parse", "words", "message"),
    [
        pytest.param(parse_owners, ["a"], '"a" gives no map a program', id="no owner"),
        pytest.param(parse_owners, ["a="], '"a=" gives no map a program', id="empty owner"),
        pytest.param(parse_owners, ["a=b", "a=c"], "two programs for map a", id="two owners"),
        pytest.param(parse_sizes, ["a"], '"a" is no size of a map: expected MAP=N', id="no size"),
        pytest.param(parse_sizes, ["=5"], '"=5" is no size of a map', id="no map"),
        pytest.param(parse_sizes, ["a=b"], '"a=b": "b" is no whole number', id="no number"),
        pytest.param(parse_sizes, ["a=1", "a=2"], "the size of map a is given twice", id="twice"),
        pytest.param(parse_targets, ["f", "g"], "two targets for all programs", id="two for all"),
        pytest.param(parse_targets, ["a=f", "a=g"], "two targets for program a", id="two for one"),
        pytest.param(parse_targets, ["a="], '"a=" is no target', id="nothing"),
        pytest.param(parse_targets, [":f"], "an empty word names no object", id="no program"),
    ],
)
def test_values_that_make_no_sense(
    parse: Callable[[list[str]], object], words: list[str], message: str
) -> None:
    with pytest.raises(UsageError) as raised:
        parse(words)
    assert message in raised.value.message
