"""Kernels made by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.check.kernels import Target
from bpfctl.loader.kernel_btf import KernelBtf, ModuleBtf

if TYPE_CHECKING:
    from pathlib import Path

INT = 1
VOID_PROTO = 2
# The numbers of Linux 5.10, as far as the tests need them.
HELPERS = tuple((f"BPF_FUNC_{number}", number) for number in range(156))
MAP_TYPES = (("BPF_MAP_TYPE_HASH", 1), ("BPF_MAP_TYPE_ARRAY", 2), ("BPF_MAP_TYPE_XSKMAP", 17))
PROG_TYPES = (("XDP", 6), ("TRACING", 26), ("KPROBE", 2), ("EXT", 28), ("LSM", 29))
ATTACH_TYPES = (("XDP", 37), ("ITER", 28), ("FENTRY", 24))


class Given(KernelBtf):
    """Types that are there already."""

    def __init__(self, btf: Btf, modules: tuple[ModuleBtf, ...] = ()) -> None:
        super().__init__("given")
        self.__dict__["btf"] = btf
        self.__dict__["modules"] = modules


def enum(name: str, values: tuple[tuple[str, int], ...]) -> t.Enum:
    named = tuple(t.EnumValue(f"{name}_{one}", number) for one, number in values)
    return t.Enum(0, name, 4, signed=False, values=named)


def kernel_btf(
    functions: tuple[str, ...] = (),
    *more: t.Type,
    attach: Any = ATTACH_TYPES,
    tracing: bool = True,
) -> Btf:
    """The types of a small kernel: its numbers, functions without arguments, and more types.

    It has a tracepoint if it was built with `tracing`.
    """
    builder = BtfBuilder()
    builder.add(t.Int(1, "int", 4, t.IntEncoding.SIGNED, 0, 32))
    builder.add(t.FuncProto(2, "", INT, ()))
    for name, values in (
        ("bpf_func_id", HELPERS),
        ("bpf_map_type", MAP_TYPES),
        ("bpf_prog_type", PROG_TYPES),
        ("bpf_attach_type", attach),
    ):
        builder.add(enum(name, values))
    if tracing:
        builder.add(t.Typedef(0, "btf_trace_sys_enter", INT))
    for name in functions:
        builder.add(t.Func(0, name, VOID_PROTO, t.FuncLinkage.STATIC))
    for one in more:
        builder.add(one)
    return Btf.parse(builder.build())


def target(btf: Btf, config: Path | None = None, **more: Any) -> Target:
    modules = more.pop("modules", ())
    path = str(config) if config else None
    return Target("given", Given(btf, modules), config_path=path, **more)
