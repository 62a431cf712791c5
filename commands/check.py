# ruff: noqa: TC001 - the types of options are read at run time
"""`bpfctl check`: will an object run on a kernel? Told without loading anything."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.plain import plain

from .check_options import Baseline, Format, MaxRegress, OtherBtf, Verify
from .declare import Argument, Exit, Noun
from .load_options import KernelConfig, Only, SetMaxEntries, Skip, parse_sizes
from .status import Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Annotated

    from bpfctl.check.check import Subject
    from bpfctl.loader.options import LoadOptions

    from .context import Context
    from .declare import Call

app = Noun("Say whether objects run on kernels, without loading them.")


@app.command()
def check(
    call: Call,
    objects: Annotated[list[str] | None, Argument(metavar="OBJ...", help="Object files.")] = None,
    btf: OtherBtf = None,
    kernel_config: KernelConfig = None,
    only: Only = None,
    skip: Skip = None,
    set_max_entries: SetMaxEntries = None,
    verify: Verify = False,
    baseline: Baseline = None,
    max_regress: MaxRegress = "0%",
    form: Format = "table",
) -> None:
    """Say whether objects run on the running kernel, or on those of given types.

    Nothing is loaded, and no privilege is needed. Each thing that an object needs is found,
    missing, guarded (it is missing, and nothing that runs there uses it) or cannot be told from
    types. Exit status 6: something would fail. Of what the verifier decides, only that is told
    which helper functions programs of a section may call.

    In a directory each file is a kernel; so is each directory in it that has a `vmlinux`, with the
    types of modules beside it and its configuration in `config`, as /sys/kernel/btf is.

    With --verify, as root, each program is also loaded on the running kernel, alone and pinned
    nowhere: the verifier's verdict, instructions processed, states, stack and time. --baseline
    compares them with earlier ones: a program that is refused now, and numbers (but the time) that
    grew by more than --max-regress, end with status 6 too.
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
    wishes = _Wishes(list(objects), btf or [], form, verify=verify)
    percent = _checked(wishes, baseline, max_regress)
    if _run(call.out, wishes, options, baseline, percent):
        raise Exit(Status.REJECTED)


@plain
class _Wishes:
    """What is to be checked, for which kernels, and how it is to be written."""

    objects: list[str]
    btf: list[str]
    form: str
    verify: bool


def _checked(wishes: _Wishes, baseline: str | None, max_regress: str) -> float:
    """Refuse what does not go together; give the percentage. Raises: UsageError."""
    from .check_verify import percent_of
    from .row_formats import check_format

    check_format(wishes.form)
    if wishes.verify and wishes.btf:
        raise UsageError("--verify is about the running kernel: it does not go with --btf")
    if baseline and not wishes.verify:
        raise UsageError("--baseline goes with --verify")
    return percent_of(max_regress)


def _run(
    out: Context, wishes: _Wishes, options: LoadOptions, baseline: str | None, percent: float
) -> bool:
    """Check objects for kernels and show it; True when something would fail, or did."""
    from bpfctl.check.check import check as check_one
    from bpfctl.check.finding import State
    from bpfctl.check.kernels import kernels

    from .check_verify import Verification
    from .check_words import show

    subjects = _subjects(wishes.objects, options)
    targets = kernels(wishes.btf, options.kernel_config)
    reports = [check_one(subject, target) for target in targets for subject in subjects]
    reports.sort(key=lambda one: wishes.objects.index(one.path))
    verified = Verification(subjects, targets[0], baseline, percent) if wishes.verify else None
    show(out, reports, wishes.form, verified)
    failed = verified is not None and verified.failed
    return failed or any(one.verdict is State.MISSING for one in reports)


def _subjects(objects: Sequence[str], options: LoadOptions) -> list[Subject]:
    from bpfctl.check.check import subject_of
    from bpfctl.elf.reader import read_object

    return [subject_of(read_object(path), options) for path in objects]
