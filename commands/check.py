"""`bpfctl check`: will an object run on a kernel? Told without loading anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from bpfctl.errors import UsageError

from .declare import Argument, Exit, Noun, Option
from .load_options import KernelConfig, Only, SetMaxEntries, Skip, parse_sizes
from .status import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.check.check import Subject
    from bpfctl.check.kernels import Target
    from bpfctl.loader.options import LoadOptions

    from .context import Context
    from .declare import Call

app = Noun("Say whether objects run on kernels, without loading them.")


@app.command()
def check(
    call: Call,
    objects: Annotated[list[str] | None, Argument(metavar="OBJ...", help="Object files.")] = None,
    btf: Annotated[
        list[str] | None,
        Option(
            "--btf",
            metavar="FILE|DIR",
            help="Types of another kernel, or of many; repeatable. Default: the running kernel.",
        ),
    ] = None,
    kernel_config: KernelConfig = None,
    only: Only = None,
    skip: Skip = None,
    set_max_entries: SetMaxEntries = None,
) -> None:
    """Say whether objects run on the running kernel, or on those of given types.

    Nothing is loaded, and no privilege is needed. Each thing that an object needs is found,
    missing, guarded (it is missing, and nothing that runs there uses it) or cannot be told from
    types. Exit status 6: something would fail. What the verifier decides is not told.

    In a directory each file is a kernel; so is each directory in it that has a `vmlinux`, with the
    types of modules beside it and its configuration in `config`, as /sys/kernel/btf is.
    """
    if not objects:
        raise UsageError("what is to be checked? expected an object file")
    from bpfctl.loader.options import LoadOptions

    chosen = frozenset(only) if only else None
    options = LoadOptions(
        programs=chosen,
        skip=frozenset(skip or ()),
        max_entries=parse_sizes(set_max_entries or ()),
        kernel_config=kernel_config,
    )
    out = call.out
    if _offline(out, objects, btf or [], options):
        raise Exit(Status.REJECTED)


def _offline(
    out: Context, objects: Sequence[str], btf: Sequence[str], options: LoadOptions
) -> bool:
    """Check objects for kernels and show it; True when something would fail."""
    from bpfctl.check.check import check as check_one
    from bpfctl.check.finding import State

    from .check_words import show

    subjects = _subjects(objects, options)
    reports = [
        check_one(subject, target)
        for target in _targets(btf, options.kernel_config)
        for subject in subjects
    ]
    paths = list(dict.fromkeys(objects))
    reports.sort(key=lambda one: paths.index(one.path))
    show(out, reports)
    return any(one.verdict is State.MISSING for one in reports)


def _targets(btf: Sequence[str], config: str | None) -> list[Target]:
    from bpfctl.check.kernels import kernels_at, running

    if not btf:
        return [running(config)]
    return [target for path in btf for target in kernels_at(path, config)]


def _subjects(objects: Sequence[str], options: LoadOptions) -> list[Subject]:
    from bpfctl.check.check import subject_of
    from bpfctl.elf.reader import read_object

    return [subject_of(read_object(path), options) for path in objects]
