"""Blueprints by hand."""

from __future__ import annotations

from bpfctl.elf.spec import FunctionSpec, ObjectSpec, Reloc, RelocKind

CALL = bytes([0x85, 0x10, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF])
EXIT = bytes([0x95, 0, 0, 0, 0, 0, 0, 0])
LD_IMM64 = bytes([0x18, 0x01]) + bytes(14)


def function(key: str, code: bytes, *relocs: Reloc, **more: object) -> FunctionSpec:
    section, _, name = key.partition(":")
    return FunctionSpec(key, name, section, 0, code, relocs, **more)  # type: ignore[arg-type]


def call(index: int, target: str) -> Reloc:
    return Reloc(index, RelocKind.CALL, target)


def address(index: int, target: str) -> Reloc:
    return Reloc(index, RelocKind.FUNC_ADDRESS, target)


def object_of(*functions: FunctionSpec, **more: object) -> ObjectSpec:
    fields: dict[str, object] = {
        "path": "x.bpf.o",
        "license": "GPL",
        "kernel_version": 0,
        "programs": (),
        "functions": {one.key: one for one in functions},
        "maps": (),
    }
    return ObjectSpec(**(fields | more))  # type: ignore[arg-type]
