"""Functions of the kernel that take no program: each cause is named, and what to do instead."""

from __future__ import annotations

import errno
import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bpfctl.api import open_object
from bpfctl.errors import (
    BpfctlError,
    NotFoundError,
    NotSupportedError,
    SyscallError,
    UsageError,
    VerifierError,
)
from bpfctl.linux.function_facts import KPROBE_BLACKLIST, function_facts
from bpfctl.linux.pmus import pmu_number
from bpfctl.linux.version import kernel_release, kernel_version
from bpfctl.loader.attach_target import TargetWish
from bpfctl.loader.options import LoadOptions
from bpfctl.objects import attach_probe_targets as probes
from bpfctl.objects.attach_targets import Tracepoint
from tests.cli.runner import PROGRAM
from tests.kernel import needs
from tests.kernel.conftest import DATA
from tests.kernel.kernel_functions import (
    copies,
    functions,
    one_of,
    symbols,
    traceable,
    typed,
)

if TYPE_CHECKING:
    from bpfctl.objects.attach_targets import Target


def refused_fentry(function: str) -> BpfctlError:
    """Load and attach a program of section fentry for some function; return the error."""
    options = LoadOptions(targets={"": TargetWish(function)})
    with pytest.raises(BpfctlError) as caught, open_object(f"{DATA}/fentry.bpf.o") as found:
        found.load(options=options).attach()
    return caught.value


def refused_probe(target: Target, program: str = "on_kprobe") -> BpfctlError:
    """Put a program on a function with a kprobe; return the error."""
    with open_object(f"{DATA}/probes.bpf.o") as found, pytest.raises(BpfctlError) as caught:
        found.load(only=[program]).programs[program].attach(target)
    return caught.value


@pytest.mark.explains("attach-target-missing")
def test_a_function_that_is_nowhere() -> None:
    err = refused_fentry("vfs_unlinkk")
    assert (type(err), err.code) == (NotFoundError, "attach-target-missing")
    assert err.message == 'this kernel has no function "vfs_unlinkk"'
    assert err.evidence == [
        "its type information has no vfs_unlinkk",
        "neither has /proc/kallsyms such a symbol",
    ]
    assert "vfs_unlink" in (err.remedy or "")


@pytest.mark.explains("function-without-types")
def test_a_function_without_types() -> None:
    name = one_of(functions() - typed() - {"_text", "_stext"}, "without types")
    err = refused_fentry(name)
    assert (type(err), err.code) == (NotFoundError, "function-without-types")
    assert err.message == f"function {name} is there, but the kernel has no types of it"
    assert err.evidence == [
        "/proc/kallsyms has it once (in the kernel)",
        f"the type information has no {name}",
    ]
    assert err.remedy == instead(name, "needs none")


@pytest.mark.explains("function-renamed")
def test_a_function_without_types_that_has_copies_only() -> None:
    name = one_of(set(copies()) - typed(), "with copies only")
    err = refused_fentry(name)
    check_renamed(err, name)


@needs.TRAMPOLINES
def test_a_function_with_types_that_has_copies_only() -> None:
    name = one_of(set(copies()) & typed(), "with types and copies only")
    err = refused_fentry(name)
    check_renamed(err, name)
    assert err.refusal is not None
    assert err.refusal.errno == errno.ENOENT


@needs.KPROBE
def test_a_probe_on_a_function_that_has_copies_only() -> None:
    name = one_of(set(copies()), "with copies only")
    check_renamed(refused_probe(probes.Kprobe(name)), name)


def check_renamed(err: BpfctlError, name: str) -> None:
    """Check the words for a function that only has copies."""
    assert (type(err), err.code) == (NotFoundError, "function-renamed")
    first = function_facts(name).variants[0]
    assert first in copies()[name]
    assert err.message.startswith(f"the compiler left no {name} in this kernel, only {first}")
    assert err.remedy == instead(first, "finds the copy; a function that calls it is safer")


def instead(symbol: str, words: str) -> str:
    """Return what is advised, on kernels with kprobes and on others."""
    if pmu_number("kprobe") is None:
        return "trace a function that calls it (this kernel has no kprobes, which need no types)"
    return f'SEC("kprobe/{symbol}") {words}'


@needs.TRAMPOLINES
@pytest.mark.explains("function-without-code")
def test_a_function_that_has_types_alone() -> None:
    name = one_of(typed() - set(symbols()) - set(copies()), "with types and no code")
    err = refused_fentry(name)
    assert (type(err), err.code) == (NotFoundError, "function-without-code")
    assert err.message == f"{name} has no code of its own in this kernel"


def refused_load(function: str, kind: str = "fentry") -> BpfctlError | None:
    """Load a program for some function; return the error, None where the kernel takes it."""
    options = LoadOptions(targets={"": TargetWish(function)})
    try:
        with open_object(f"{DATA}/fentry.bpf.o", prog_type=kind) as found:
            found.load(options=options)
    except BpfctlError as err:
        return err
    return None


@needs.NO_RETURN
@pytest.mark.explains("function-never-returns")
def test_a_function_that_never_returns() -> None:
    err = refused_load("do_exit", "fexit")
    assert err is not None
    assert (type(err), err.code) == (VerifierError, "function-never-returns")
    assert err.message.startswith("do_exit never returns")
    assert err.evidence[0].startswith("the kernel says: Attaching ")
    assert err.remedy == 'use SEC("fentry/do_exit")'


@needs.TRAMPOLINES
@pytest.mark.explains("function-variadic")
def test_a_function_that_takes_any_number_of_arguments() -> None:
    err = refused_load("panic")
    assert err is not None
    assert (type(err), err.code) == (VerifierError, "function-variadic")
    assert err.message.startswith("panic takes any number of arguments")
    said = "the kernel says: The function panic with variable args is unsupported."
    assert err.evidence == [said]


@needs.DENY_LIST
@pytest.mark.explains("function-denied")
def test_a_function_that_the_kernel_calls_to_run_a_program() -> None:
    err = refused_load("migrate_disable")
    assert err is not None
    assert (type(err), err.code) == (VerifierError, "function-denied")
    assert err.evidence[-1].endswith("is in the kernel's list of such functions (btf_id_deny)")


def untraced() -> str:
    """Choose a function with types that ftrace does not list."""
    return one_of((functions() & typed()) - traceable(), "that cannot be traced")


@needs.TRAMPOLINES
@pytest.mark.explains("function-not-traceable")
def test_fentry_on_a_function_that_is_not_traced() -> None:
    name = untraced()
    err = refused_fentry(name)
    if kernel_version() < (6, 0):  # it does not tell what the program was loaded for
        assert isinstance(err, SyscallError)
        assert any("its function cannot be traced" in one for one in err.candidates)
        return
    assert (type(err), err.code) == (NotSupportedError, "function-not-traceable")
    assert err.message == f"this kernel does not support tracing of {name}"
    check_untraced(err, name)


@needs.KPROBE
def test_a_probe_on_a_function_that_is_not_traced() -> None:
    listed = {line.split()[-1] for line in blacklist()}
    names = (functions() & typed()) - traceable() - listed
    name = one_of(names, "that cannot be traced")
    err = refused_probe(probes.Kprobe(name))
    assert (type(err), err.code) == (NotSupportedError, "function-not-traceable")
    check_untraced(err, name)


@needs.KPROBE_MULTI
def test_many_probes_and_one_function_that_is_not_traced() -> None:
    name = untraced()
    err = refused_probe(probes.KprobeMulti(("vfs_unlink", name)), "on_kprobe_multi")
    assert (type(err), err.code) == (NotSupportedError, "function-not-traceable")
    check_untraced(err, name)


def check_untraced(err: BpfctlError, name: str) -> None:
    """Check evidence and remedy for a function that ftrace leaves out."""
    assert err.evidence[0] == (
        "it is in /proc/kallsyms, but not in available_filter_functions of tracefs"
    )
    assert name in err.message
    assert err.remedy == "trace a function that calls it, or one that it calls"


@needs.KPROBE
@pytest.mark.explains("ambiguous-function")
def test_a_probe_on_namesakes() -> None:
    names = {name for name in typed() & traceable() if symbols()[name] > 1}
    name = one_of(names, "of which there are several")
    err = refused_probe(probes.Kprobe(name))
    count = symbols()[name]
    assert err.code == "ambiguous-function"
    assert err.message == f"{count} functions of this kernel are called {name}"
    assert err.evidence[0].startswith(f"/proc/kallsyms has {count} symbols of that name")


def blacklist() -> list[str]:
    """Return the kernel's list of functions without probes."""
    mount = ["mount", "-t", "debugfs", "debugfs", "/sys/kernel/debug"]
    if not Path(KPROBE_BLACKLIST).exists():
        subprocess.run(mount, check=True)
    return Path(KPROBE_BLACKLIST).read_text().splitlines()


@needs.KPROBE
@pytest.mark.explains("kprobe-blacklisted")
def test_a_probe_on_a_function_that_takes_none() -> None:
    name = one_of({line.split()[-1] for line in blacklist()} & functions(), "without probes")
    err = refused_probe(probes.Kprobe(name))
    assert (type(err), err.code) == (NotSupportedError, "kprobe-blacklisted")
    assert err.message == f"this kernel does not support probes on {name}"
    assert err.evidence[0] == f"{name} is in {KPROBE_BLACKLIST}"


@needs.KPROBE
@pytest.mark.explains("no-such-function")
def test_a_probe_on_a_function_that_is_nowhere() -> None:
    err = refused_probe(probes.Kprobe("vfs_unlinkk"))
    assert (type(err), err.code) == (NotFoundError, "no-such-function")
    assert err.message == "this kernel has no function vfs_unlinkk"
    assert "vfs_unlink" in (err.remedy or "")


@needs.KPROBE
@pytest.mark.explains("probe-offset-inside", "probe-offset-outside")
def test_a_probe_at_an_offset_of_no_instruction() -> None:
    """The first instructions of a function are longer than a byte, save for pushes."""
    errors = [refused_probe(probes.Kprobe("vfs_unlink", 1))]
    errors.append(refused_probe(probes.Kprobe("vfs_unlink", 0x7FFFFFF)))
    assert [(type(err), err.code) for err in errors] == [
        (UsageError, "probe-offset-inside"),
        (UsageError, "probe-offset-outside"),
    ]
    assert errors[0].message == "no instruction of vfs_unlink begins at offset 0x1"
    assert errors[1].message == "offset 0x7ffffff is behind the end of vfs_unlink"
    assert errors[1].evidence[0].startswith("vfs_unlink is 0x")


@pytest.mark.explains("module-not-loaded")
def test_a_module_that_is_not_loaded() -> None:
    err = refused_fentry("no_such_module:open")
    assert (type(err), err.code) == (NotFoundError, "module-not-loaded")
    assert err.message == "no module no_such_module is loaded"


@pytest.mark.explains("module-built-in")
def test_a_module_that_is_built_in() -> None:
    place = Path(f"/lib/modules/{kernel_release()}/modules.builtin")
    lines = place.read_text().splitlines() if place.exists() else []
    names = {Path(line).name.removesuffix(".ko").replace("-", "_") for line in lines}
    name = one_of(names, "that is known to be of a built-in module")
    err = refused_fentry(f"{name}:vfs_unlink")
    assert (type(err), err.code) == (NotFoundError, "module-built-in")
    assert err.message == f"{name} is no module here, it is built in"
    assert err.remedy == "name the function alone: vfs_unlink"


@pytest.mark.explains("module-without-types")
def test_a_module_without_types() -> None:
    loaded = {path.parent.name for path in Path("/sys/module").glob("*/initstate")}
    name = one_of(
        {name for name in loaded if not Path(f"/sys/kernel/btf/{name}").exists()},
        "of a module without types",
    )
    err = refused_fentry(f"{name}:open")
    assert (type(err), err.code) == (NotFoundError, "module-without-types")
    assert err.message == f"module {name} is loaded, but has no type information"
    assert err.evidence == [f"there is no /sys/kernel/btf/{name}"]


@pytest.mark.explains("kernel-btf-missing")
def test_a_kernel_that_shows_no_types() -> None:
    """A mount that only this process sees hides the file."""
    hide = "mount -t tmpfs none /sys/kernel/btf"
    words = [*PROGRAM, "-j", "prog", "load", f"{DATA}/fentry.bpf.o", "/sys/fs/bpf/never"]
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'{hide} && exec "$@"', "sh", *words],
        check=False,
        capture_output=True,
        text=True,
    )
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["code"]) == (5, "kernel-btf-missing")
    assert error["evidence"][0] == "there is no /sys/kernel/btf/vmlinux"
    assert "for CO-RE alone, --kernel-btf FILE will do: pahole" in error["remedy"]


@pytest.mark.explains("probes-unsupported")
def test_a_kernel_without_kprobes() -> None:
    if pmu_number("kprobe") is not None:
        pytest.skip("this kernel has kprobes")
    err = refused_probe(probes.Kprobe("vfs_unlink"))
    assert (type(err), err.code) == (NotSupportedError, "probes-unsupported")
    assert err.message == "this kernel does not support kprobes"
    assert err.evidence[0] == "there is no /sys/bus/event_source/devices/kprobe"
    assert err.evidence[1].endswith(" says CONFIG_KPROBES is not set")
    assert err.remedy == "use fentry, fexit or a tracepoint"


@pytest.mark.explains("no-such-tracepoint")
@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param(
            Tracepoint("sched", "sched_process_exc"),
            "this kernel has no trace event in sched called sched_process_exc",
            id="event",
        ),
        pytest.param(
            Tracepoint("shed", "sched_process_exec"),
            "this kernel has no category of trace events called shed",
            id="category",
        ),
    ],
)
def test_a_trace_event_that_is_not_there(target: Tracepoint, message: str) -> None:
    with open_object(f"{DATA}/tracepoint.bpf.o") as found, pytest.raises(NotFoundError) as caught:
        found.load().programs["on_exec_event"].attach(target)
    err = caught.value
    assert (err.code, err.message) == ("no-such-tracepoint", message)
    assert (err.remedy or "").startswith("did you mean sched")


@pytest.mark.explains("attach-target-not-chosen")
def test_a_replacement_of_nothing() -> None:
    with open_object(f"{DATA}/replace.bpf.o") as found, pytest.raises(NotFoundError) as caught:
        found.load()
    err = caught.value
    assert err.code == "attach-target-not-chosen"
    assert err.message == 'nothing says what to replace (SEC "freplace/decide")'
    assert err.remedy == "name it with --target PROG:FUNCTION, the function of a loaded program"
