"""Load the programs that the verifier must refuse, on the running kernel."""

from __future__ import annotations

import os
import pickle
import traceback
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from bpfctl.elf.reader import read_object
from bpfctl.errors import BpfctlError, SyscallError
from bpfctl.explain.load_failure import explain_load
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pipeline import load
from bpfctl.objects.btf import KERNEL_FILE
from tests.kernel.powers import keep_only, named
from tests.tools.verifier_logs import DATA

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bpfctl.elf.spec import ObjectSpec

Seen = TypeVar("Seen")

# What only those without CAP_PERFMON are refused.
LEAKS: Final = "verifier_leaks"
_RIGHTS: Final = named({"CAP_BPF", "CAP_NET_ADMIN"})
# To walk a million instructions takes a minute in a virtual machine: tests use a kept log.
MILLION: Final = "loop_too_long"
_LONG: Final = {"loop_of_branches": 4096, MILLION: 4096}


def load_all(look: Callable[[str, BpfctlError | None], Seen]) -> dict[str, Seen]:
    """Load each program by itself; return what `look` makes of how it ended, by name."""
    kernel = KernelBtf(KERNEL_FILE)
    found: dict[str, Seen] = {}
    for path in sorted(DATA.glob("verifier_*.bpf.o")):
        if path.name.startswith(LEAKS):
            found |= _without_rights(partial(_of_object, path, kernel, look))
        else:
            found |= _of_object(path, kernel, look)
    return found


def _of_object(
    path: Path, kernel: KernelBtf, look: Callable[[str, BpfctlError | None], Seen]
) -> dict[str, Seen]:
    spec = read_object(str(path))
    names = [one.name for one in spec.programs if one.name != MILLION]
    return {name: look(name, refusal(spec, name, kernel)) for name in names}


def load_million() -> BpfctlError | None:
    """Load the program that is walked for too long."""
    return refusal(read_object(str(DATA / "verifier_flow.bpf.o")), MILLION, KernelBtf(KERNEL_FILE))


def refusal(
    spec: ObjectSpec,
    program: str,
    kernel: KernelBtf,
    *,
    log_size: int | None = None,
    log_fixed: bool = False,
) -> BpfctlError | None:
    """Load one program; return the error, explained, None where the kernel takes it."""
    options = LoadOptions(
        programs=frozenset({program}),
        log_size=log_size or _LONG.get(program),
        log_fixed=log_fixed,
    )
    try:
        load(spec, options, kernel).close()
    except SyscallError as err:
        return explain_load(err, spec, kernel, options)
    except BpfctlError as err:
        return err
    return None


def _without_rights(run: Callable[[], dict[str, Seen]]) -> dict[str, Seen]:
    """Run in a child that may load programs, but see no addresses."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            keep_only(_RIGHTS)
            with os.fdopen(writing, "wb") as out:
                pickle.dump(run(), out)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as answer:
        data = answer.read()
    assert os.waitpid(child, 0)[1] == 0
    found: dict[str, Seen] = pickle.loads(data)
    return found
