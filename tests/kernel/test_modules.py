"""Types and functions that only a module of the running kernel has."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.core_fixup import CoreKind
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.reader import parse_object
from bpfctl.errors import VerifierError
from bpfctl.kernel.attr import prog_test_run
from bpfctl.kernel.bpf import bpf
from bpfctl.kernel.info import prog_info
from bpfctl.loader.kernel_btf import KernelBtf, ModuleBtf
from bpfctl.loader.pipeline import load
from bpfctl.objects.btf import KERNEL_FILE
from tests.builders.btf import ext
from tests.builders.elf import ALLOC, EXIT, ElfBuilder
from tests.kernel import needs

SECTION = "raw_tp"
MOST_TRIED = 30  # functions of modules: some were inlined, and are nowhere


@pytest.fixture(scope="module")
def kernel() -> KernelBtf:
    """Return the kernel's types."""
    return KernelBtf(KERNEL_FILE)


def own_struct(kernel: KernelBtf) -> tuple[ModuleBtf, t.Struct]:
    """Return a struct that one module has, and nobody else."""
    for module in kernel.modules:
        for one in module.btf.types():
            if (
                isinstance(one, t.Struct)
                and one.name
                and not one.is_union
                and _is_alone(one, kernel)
            ):
                return module, one
    pytest.fail("no module has a struct of its own")


def _is_alone(struct: t.Struct, kernel: KernelBtf) -> bool:
    places = (kernel.btf, *(one.btf for one in kernel.modules))
    return (
        "___" not in struct.name
        and sum(
            any(number >= place.first_id for number in place.find_all(struct.name))
            for place in places
        )
        == 1
    )


def asks_for_size(name: str) -> bytes:
    """An object whose program returns the size that a struct has in the kernel."""
    types = BtfBuilder()
    number = types.add(t.Int(0, "int", 4, 1, 0, 32))
    struct = types.add(t.Struct(0, name, 4, (t.Member("x", number, 0),)))
    section, access = types.string(SECTION), types.string("0")
    relo = (0, struct, access, int(CoreKind.TYPE_SIZE))
    builder = ElfBuilder()
    code = bytes.fromhex("b700000004000000") + EXIT[8:]  # r0 = 4: the size it has in the object
    builder.function("size", SECTION, code)
    builder.section("license", b"GPL\0", flags=ALLOC)
    builder.section(".BTF", types.build(), flags=0)
    builder.section(".BTF.ext", ext((8, ()), (16, ()), (16, [(section, 1, [relo])])), flags=0)
    return builder.build()


@needs.MODULE_TYPES
def test_the_size_of_a_struct_of_a_module(kernel: KernelBtf) -> None:
    _, struct = own_struct(kernel)
    with load(parse_object(asks_for_size(struct.name), "size.bpf.o"), kernel=kernel) as loaded:
        run = prog_test_run(loaded.programs["size"].fd)
        bpf(run)
    assert run.retval == struct.size_bytes


@needs.MODULE_TYPES
@needs.TRAMPOLINES
def test_a_function_of_a_module_is_a_target(kernel: KernelBtf) -> None:
    tried = []
    for module in kernel.modules:
        functions = [one for one in module.btf.types() if isinstance(one, t.Func)]
        for function in functions[:MOST_TRIED]:
            builder = ElfBuilder()
            builder.function("watch", f"fentry/{module.name}:{function.name}")
            builder.section("license", b"GPL\0", flags=ALLOC)
            try:
                with load(parse_object(builder.build(), "watch.bpf.o"), kernel=kernel) as loaded:
                    info = prog_info(loaded.programs["watch"].fd)
                    assert info.number("attach_btf_obj_id") in (None, module.id)
                    return
            except VerifierError as err:
                tried.append(f"{module.name}:{function.name}: {err.log}")
    pytest.fail("\n".join(tried))
