"""Targets that are not in the kernel's types, though they may be there."""

from __future__ import annotations

import pytest

from bpfctl.linux.function_facts import FunctionFacts
from bpfctl.linux.modules import ModuleState
from bpfctl.loader import attach_missing
from bpfctl.loader.attach_missing import missing_function, missing_module
from bpfctl.objects import function_causes


@pytest.mark.parametrize(
    ("state", "code", "evidence", "remedy"),
    [
        pytest.param(
            ModuleState.LOADABLE, "module-not-loaded",
            ["it is among the modules of this kernel, and not loaded"],
            "load it first (modprobe m)", id="loadable",
        ),
        pytest.param(
            ModuleState.ABSENT, "module-not-loaded",
            ["it is not among the modules of this kernel either"], None, id="absent",
        ),
        pytest.param(
            ModuleState.UNKNOWN, "module-not-loaded", [], "load it first (modprobe m)",
            id="unknown",
        ),
        pytest.param(
            ModuleState.BUILT_IN, "module-built-in", ["modules.builtin of this kernel has m"],
            "name the function alone: f", id="built in",
        ),
        pytest.param(
            ModuleState.LOADED, "module-without-types", ["there is no /sys/kernel/btf/m"],
            "use a kprobe, which needs none, or a kernel with CONFIG_DEBUG_INFO_BTF_MODULES=y",
            id="loaded",
        ),
    ],
)  # fmt: skip
def test_modules(
    state: ModuleState, code: str, evidence: list[str], remedy: str | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(attach_missing, "module_state", lambda _: state)
    err = missing_module("m", "f")
    assert (err.code, err.evidence, err.remedy) == (code, evidence, remedy)


@pytest.mark.parametrize(
    ("facts", "near", "code", "evidence"),
    [
        pytest.param(
            FunctionFacts("f", None), ["g"], "attach-target-missing",
            ["its type information has no f"], id="no symbols",
        ),
        pytest.param(
            FunctionFacts("f", ()), [], "attach-target-missing",
            ["its type information has no f", "neither has /proc/kallsyms such a symbol"],
            id="nowhere",
        ),
        pytest.param(
            FunctionFacts("f", ("", "no_such_module")), [], "function-without-types",
            [
                "/proc/kallsyms has it 2 times (in no_such_module, the kernel)",
                "the type information has no f",
                "module no_such_module has no type information (no /sys/kernel/btf/no_such_module)",
            ],
            id="without types",
        ),
        pytest.param(
            FunctionFacts("f", (), ("f.isra.0",)), [], "function-renamed",
            [
                "/proc/kallsyms has f.isra.0, and no f",
                "copies called .isra or .constprop take other arguments than the source says",
            ],
            id="copies",
        ),
    ],
)  # fmt: skip
def test_functions(
    facts: FunctionFacts, near: list[str], code: str, evidence: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(attach_missing, "function_facts", lambda _: facts)
    monkeypatch.setattr(function_causes, "near_functions", lambda _: [])
    err = missing_function("f", near)
    assert (err.code, err.evidence) == (code, evidence)
    assert (err.remedy == "did you mean g?") == bool(near)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        pytest.param(8, 'SEC("kprobe/f") needs none', id="kprobes"),
        pytest.param(
            None,
            "trace a function that calls it (this kernel has no kprobes, which need no types)",
            id="none",
        ),
    ],
)
def test_what_to_do_instead(
    number: int | None, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(function_causes, "pmu_number", lambda _: number)
    assert function_causes.probe_instead("f", "needs none") == advice
