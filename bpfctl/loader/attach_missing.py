"""Why a load does not find what a program attaches to. Only imported when that happens."""

from __future__ import annotations

from pathlib import Path

from bpfctl.errors import BpfctlError, NotFoundError
from bpfctl.linux.function_facts import KALLSYMS, function_facts
from bpfctl.linux.modules import ModuleState, module_state
from bpfctl.objects.function_causes import RENAMED, absent, probe_instead

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_BTF_FOLDER: Final = "/sys/kernel/btf"
_STATES: Final = {
    ModuleState.LOADABLE: "it is among the modules of this kernel, and not loaded",
    ModuleState.ABSENT: "it is not among the modules of this kernel either",
}


def missing_function(name: str, near: list[str]) -> BpfctlError:
    """Make the error for a function that the kernel's types lack: it may be there all the same.

    `near` are names that the types do have.
    """
    facts = function_facts(name)
    gone = absent(facts)
    if gone and gone.code == RENAMED:
        return gone.error()
    if facts.modules:
        return _untyped(name, facts.modules)
    seen = [] if facts.modules is None else [f"neither has {KALLSYMS} such a symbol"]
    return NotFoundError(
        f'this kernel has no function "{name}"',
        code="attach-target-missing",
        evidence=[f"its type information has no {name}", *seen],
        candidates=[] if near else ["it was inlined, or this version calls it otherwise"],
        remedy=f"did you mean {' or '.join(near)}?" if near else None,
    )


def missing_module(name: str, target: str) -> BpfctlError:
    """Make the error for a module whose types are not there, though it may be."""
    state = module_state(name)
    if state is ModuleState.BUILT_IN:
        return NotFoundError(
            f"{name} is no module here, it is built in",
            code="module-built-in",
            evidence=[f"modules.builtin of this kernel has {name}"],
            remedy=f"name the function alone: {target}",
        )
    if state is ModuleState.LOADED:
        return NotFoundError(
            f"module {name} is loaded, but has no type information",
            code="module-without-types",
            evidence=[f"there is no {_BTF_FOLDER}/{name}"],
            remedy="use a kprobe, which needs none, or a kernel with "
            "CONFIG_DEBUG_INFO_BTF_MODULES=y",
        )
    return NotFoundError(
        f"no module {name} is loaded",
        code="module-not-loaded",
        evidence=[_STATES[state]] if state in _STATES else [],
        remedy=f"load it first (modprobe {name})" if state is not ModuleState.ABSENT else None,
    )


def _untyped(name: str, modules: tuple[str, ...]) -> BpfctlError:
    """The function is there, and its types are not: fentry cannot, a kprobe can."""
    count, where = len(modules), sorted({module or "the kernel" for module in modules})
    evidence = [
        f"{KALLSYMS} has it {'once' if count == 1 else f'{count} times'} (in {', '.join(where)})",
        f"the type information has no {name}",
    ]
    evidence += [
        f"module {module} has no type information (no {_BTF_FOLDER}/{module})"
        for module in sorted({one for one in modules if one})
        if not Path(_BTF_FOLDER, module).exists()
    ]
    return NotFoundError(
        f"function {name} is there, but the kernel has no types of it",
        code="function-without-types",
        evidence=evidence,
        remedy=probe_instead(name, "needs none"),
    )
