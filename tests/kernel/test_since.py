"""The tables of first versions, against what the running kernel's own types have.

Each kernel of the matrix checks them from both sides: what a table says came with it or earlier is
there, as far as no option leaves it out; and what is there, a table dates, and not later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from bpfctl.btf.contexts import all_contexts
from bpfctl.btf.types import DeclTag, Kind
from bpfctl.elf.section_table import DEFINITIONS
from bpfctl.features.age import listed
from bpfctl.features.maps import PROBES
from bpfctl.features.since_helpers import helper_since
from bpfctl.features.since_kfuncs import KFUNCS
from bpfctl.features.since_targets import ITERATORS, STRUCT_OPS
from bpfctl.kernel.uapi import MapType
from bpfctl.linux.version import kernel_version, parse_release
from bpfctl.objects.btf import kernel_btf

if TYPE_CHECKING:
    from collections.abc import Mapping

Name = TypeVar("Name")

# The kernel's own test functions, marked for its selftests alone.
TESTED: Final = ("bpf_fentry_test", "bpf_kfunc_call_", "bpf_modify_return_test")
# Kernels before loaded programs of these without naming a type of attachment (5.9, 5.14).
OLDER_THAN_NUMBER: Final = {"xdp", "sk_reuseport"}
# Structs of the kernel that the name of a struct of functions looks like.
INTERNAL: Final = {"arg_info", "common_value", "desc", "link", "map", "value"}


def came(table: Mapping[Name, str]) -> set[Name]:
    """What a table says this kernel has."""
    return {name for name, since in table.items() if parse_release(since) <= kernel_version()}


def test_helpers() -> None:
    have = listed(kernel_btf()).helpers
    assert have is not None
    assert {one for one in have if one} == came(helper_since())


def test_map_types() -> None:
    have = listed(kernel_btf()).map_types
    assert have is not None
    assert {one for one in have if one} == came(
        {int(MapType[name]): probe.since for name, probe in PROBES.items()}
    )


def test_program_types() -> None:
    """A type is as old as the oldest of its sections."""
    have = listed(kernel_btf()).prog_types
    assert have is not None
    found = {int(one.prog_type) for one in DEFINITIONS if is_here(one.since)}
    assert {one for one in have if one} == found


def test_attach_types() -> None:
    have = listed(kernel_btf()).attach_types
    assert have is not None
    dated = [one for one in DEFINITIONS if one.name not in OLDER_THAN_NUMBER and not one.sleepable]
    for one in dated:
        if one.attach_type is not None and not one.frags:
            assert (int(one.attach_type) in have) == is_here(one.since), one.name


def is_here(since: str) -> bool:
    return parse_release(since) <= kernel_version()


def test_kfuncs() -> None:
    """Types that mark them (Linux 6.12 and later) mark none that is not dated, or dated later."""
    btf = kernel_btf()
    tags = (btf.type(one) for one in btf.find_all("bpf_kfunc", (Kind.DECL_TAG,)))
    marked = {btf.name(one.type_id) for one in tags if isinstance(one, DeclTag)}
    dated = came(KFUNCS)
    assert {one for one in marked if not one.startswith(TESTED)} - dated == set()


def test_iterators() -> None:
    """The struct of its context shows an iterator that was built in."""
    btf = kernel_btf()
    have = {one.section.partition("/")[2] for one in all_contexts(btf, ("iter",))}
    dated = came(ITERATORS)
    assert have - dated == set()
    assert {"task", "bpf_map"} <= have


def test_structs_of_functions() -> None:
    """Each has a struct of that name with "bpf_struct_ops_" before it."""
    btf, prefix = kernel_btf(), "bpf_struct_ops_"
    names = {btf.name(one) for one in btf.ids((Kind.STRUCT,))}
    have = {one.removeprefix(prefix) for one in names if one.startswith(prefix)} - INTERNAL
    dated = came(STRUCT_OPS)
    assert have - dated == set()
    assert "tcp_congestion_ops" in have
