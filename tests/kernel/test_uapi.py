"""The generated numbers and structs against the running kernel's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.types import Kind
from bpfctl.kernel import uapi, uapi_gen
from bpfctl.kernel.uapi_helpers import HelperId
from tests.kernel import needs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def kernel_btf() -> Btf:
    with open("/sys/kernel/btf/vmlinux", "rb") as file:  # noqa: PTH123 - a file of sysfs
        return Btf.parse(file.read())


@pytest.fixture(scope="module")
def our_btf(data: Path) -> Btf:
    return Btf.parse((data / "uapi-7.3.btf").read_bytes())


# What came after Linux 5.10.
NEEDS = {
    "bpf_cgroup_iter_order": needs.CGROUP_ITER,
    "bpf_common_attr": needs.COMMON_ATTR,
    "bpf_perf_event_type": needs.PERF_LINK_INFO,
}


def known(*names: str) -> Any:
    """Return a parameter with what it needs of the kernel."""
    return pytest.param(*names, marks=NEEDS.get(names[0], ()), id=names[0])


@pytest.mark.parametrize(
    ("c_name", "name", "prefix"), [known(*one) for one in (*uapi_gen.ENUMS, uapi_gen.HELPERS)]
)
def test_numbers_are_this_kernels(c_name: str, name: str, prefix: str, kernel_btf: Btf) -> None:
    ours = HelperId if name == "HelperId" else getattr(uapi, name)
    type_id = kernel_btf.find(c_name, Kind.ENUM)
    assert type_id
    theirs = kernel_btf.type(type_id)
    assert isinstance(theirs, t.Enum)
    expected = {v.name.removeprefix(prefix): v.value for v in theirs.values if "MAX" not in v.name}
    assert {key: int(ours[key]) for key in expected} == expected


@pytest.mark.parametrize("name", [known(one) for one in (*uapi_gen.STRUCTS, *uapi_gen.UNIONS)])
def test_structs_only_grow(name: str, kernel_btf: Btf, our_btf: Btf) -> None:
    """Every field of this kernel is in ours, at the same place: the UAPI is for ever."""
    kind = Kind.UNION if name in uapi_gen.UNIONS else Kind.STRUCT
    theirs_id, ours_id = kernel_btf.find(name, kind), our_btf.find(name, kind)
    assert ours_id
    assert theirs_id
    theirs = kernel_btf.type(theirs_id)
    assert isinstance(theirs, t.Struct)
    for member in theirs.members:
        if member.name and not member.name.startswith("__"):  # __reserved_1 shrinks
            found = our_btf.member(ours_id, member.name)
            place = found.offset_bits if found else None
            assert (member.name, place) == (member.name, member.offset_bits)
