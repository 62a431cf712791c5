"""Variables and functions of the kernel that an object refers to.

Those with a type are looked up in the types of vmlinux, then of its modules; those without in
/proc/kallsyms. Source: the behaviour of libbpf 1.5.
"""

from __future__ import annotations

from bpfctl.btf.core_compat import types_agree
from bpfctl.btf.core_names import essential_name
from bpfctl.btf.types import Func, FuncProto, Kind, Var, Void
from bpfctl.loader.extern_result import Address, KernelType, Missing, Outcome
from bpfctl.loader.ksym_words import missing_function, missing_symbol, missing_variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from bpfctl.btf.decode import Btf
    from bpfctl.elf.spec import ExternSpec
    from bpfctl.loader.kernel_btf import KernelBtf, ModuleBtf


def is_typed(btf: Btf, extern: ExternSpec) -> bool:
    """Whether the object says what the symbol is: a function, or a variable of some type."""
    return not isinstance(btf.type(btf.skip_modifiers(extern.type_id)), Void)


# --- without a type


def addresses(names: Iterable[str]) -> dict[str, Outcome]:
    """Where the kernel has each of the symbols. The list of symbols is read once."""
    from bpfctl.linux.kallsyms import addresses_hidden, addresses_of

    wanted = list(names)
    found = addresses_of(wanted)
    if found is None:
        unreadable = Missing("/proc/kallsyms, where its address would be, cannot be read")
        return dict.fromkeys(wanted, unreadable)
    hidden = any(0 in one for one in found.values()) and addresses_hidden()
    return {name: address(found.get(name, frozenset()), hidden=hidden) for name in wanted}


def address(found: frozenset[int], *, hidden: bool = False) -> Outcome:
    """The address of a symbol, if it has exactly one.

    0 is one too, unless all are `hidden`: per-CPU variables of x86 began there until Linux 6.15.
    """
    if not found:
        return missing_symbol()
    if len(found) > 1:
        where = ", ".join(f"{one:#x}" for one in sorted(found)[:3])
        return Missing(f"is ambiguous: {len(found)} symbols have this name ({where})", fatal=True)
    (one,) = found
    if not one and hidden:
        words = "has an address that this process may not see"
        return Missing(words, remedy="run it with CAP_SYSLOG, or set kernel.kptr_restrict to 0")
    return Address(one)


# --- with a type


def kernel_type(btf: Btf, extern: ExternSpec, kernel: KernelBtf) -> Outcome:
    """The kernel's variable or function of that name, if it is of the type declared."""
    if extern.kind == "kfunc":
        return _function(btf, extern, kernel)
    for module, target, type_id in _places(kernel, extern.name, Kind.VAR):
        variable = target.type(type_id)
        assert isinstance(variable, Var)
        if types_agree(btf, extern.type_id, target, variable.type_id):
            return KernelType(type_id, module)
        theirs, ours = _word(target, variable.type_id), _word(btf, extern.type_id)
        return Missing(f"is of type {theirs} here, the object declares {ours}", fatal=True)
    return missing_variable(extern.name, kernel.btf)


def _function(btf: Btf, extern: ExternSpec, kernel: KernelBtf) -> Outcome:
    """The flavour of the name ("bpf_thing___old") tells declarations apart, not functions."""
    name = essential_name(extern.name)
    ours = btf.type(extern.type_id)
    assert isinstance(ours, Func)
    for module, target, type_id in _places(kernel, name, Kind.FUNC):
        theirs = target.func_proto(type_id)
        if types_agree(btf, ours.proto_id, target, theirs.id):
            return KernelType(type_id, module)
        where = f"module {module.name}" if module else "the kernel"
        return Missing(
            f"has other parameters in {where}: {_signature(target, theirs.id)}, "
            f"the object declares {_signature(btf, ours.proto_id)}"
        )
    return missing_function(name, kernel.btf)


def _places(
    kernel: KernelBtf, name: str, kind: Kind
) -> Iterator[tuple[ModuleBtf | None, Btf, int]]:
    """Where the name is: in vmlinux, else in the first module that has it."""
    found = kernel.btf.find(name, kind)
    if found is not None:
        yield None, kernel.btf, found
        return
    for module in kernel.modules:
        found = module.btf.find(name, kind)
        if found is not None:
            yield module, module.btf, found


def _word(btf: Btf, type_id: int) -> str:
    """A type as C would write it, and whether the object has only its name."""
    known = btf.kind_number(btf.skip_modifiers(type_id)) != Kind.FWD
    return btf.type_name(type_id) + ("" if known else " without any member")


def _signature(btf: Btf, proto_id: int) -> str:
    """A prototype without the function's name: "int (struct sock *, u32)"."""
    proto = btf.type(proto_id)
    if not isinstance(proto, FuncProto):
        return btf.type_name(proto_id)
    params = (btf.type_name(one.type_id) if one.type_id else "..." for one in proto.params)
    return f"{btf.type_name(proto.return_type_id)} ({', '.join(params) or 'void'})"
