"""EINVAL and E2BIG for what this kernel does not know: commands, types, fields of the request."""

from __future__ import annotations

import errno

from bpfctl.errors import VerifierError
from bpfctl.explain import first_kernels
from bpfctl.explain.attr_room import measure_attr
from bpfctl.explain.explanation import Explanation, Outcome
from bpfctl.explain.kernel_types import knows_field, values_of
from bpfctl.kernel.flags import MapFlags
from bpfctl.kernel.layout import field_end
from bpfctl.kernel.names import label
from bpfctl.kernel.uapi import AttachType, MapType, ProgType
from bpfctl.loader.verifier_log import failing_insn
from bpfctl.plain import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from enum import IntEnum
    from typing import Final

    from bpfctl.explain.failure import Failure
    from bpfctl.features.verdict import Verdict

_MAY_MEAN_UNKNOWN: Final = frozenset({errno.EINVAL, errno.E2BIG, errno.EOPNOTSUPP})
_FLAGS: Final = 1 << 16  # what is no number of the list: flags that go with one
# Where each command has the attach type.
_ATTACH_FIELDS: Final = {
    "BPF_PROG_LOAD": "expected_attach_type",
    "BPF_LINK_CREATE": "link_create.attach_type",
    "BPF_PROG_ATTACH": "attach_type",
    "BPF_PROG_DETACH": "attach_type",
    "BPF_PROG_QUERY": "query.attach_type",
}


def command(failure: Failure) -> Explanation | None:
    """See whether the kernel's list of commands has this one."""
    if failure.errno != errno.EINVAL or failure.request is None:
        return None
    number = int(failure.request.cmd)
    known = values_of(failure.btf, "bpf_cmd")
    if known is None or number in known:
        return None
    since = first_kernels.COMMANDS.get(number)
    words = f"command {failure.call} of bpf(2)"
    return _absent("command-unknown", words, "bpf_cmd", known, number, since)


def map_type(failure: Failure) -> Explanation | None:
    """See whether the kernel has maps of that type: by its list of types, then by making one."""
    if failure.errno not in _MAY_MEAN_UNKNOWN or failure.request is None:
        return None
    from bpfctl.features.maps import PROBES, probe_map_type
    from bpfctl.features.options import explained
    from bpfctl.features.prober import Prober

    number = failure.field("map_type")
    words, code = f"maps of type {_name(MapType, number)}", "map-type-unsupported"
    kind = MapType(number) if number in MapType.__members__.values() else None
    how = PROBES.get(kind.name) if kind else None
    known = values_of(failure.btf, "bpf_map_type")
    if known is not None and number not in known:
        since = how.since if how else None
        return _absent(code, words, "bpf_map_type", known, number, since)
    if kind is None or how is None:
        return None
    with Prober() as prober:
        verdict = explained(probe_map_type(prober, kind), how.config, failure.config)
    return _probed(code, words, verdict)


def program_type(failure: Failure) -> Explanation | None:
    """See whether the kernel has programs of that type: by its list, then by loading one."""
    if failure.errno not in _MAY_MEAN_UNKNOWN or failure.request is None or _was_walked(failure):
        return None
    from bpfctl.features.options import PROG_TYPES, explained
    from bpfctl.features.prober import Prober
    from bpfctl.features.programs import probe_program, program_probes

    number = failure.field("prog_type")
    words, code = f"programs of type {_name(ProgType, number)}", "program-type-unsupported"
    rows = [one for one in program_probes() if one.prog_type == number]
    known = values_of(failure.btf, "bpf_prog_type")
    if known is not None and number not in known:
        since = rows[0].since if rows else None
        return _absent(code, words, "bpf_prog_type", known, number, since)
    if not rows:
        return None
    with Prober() as prober:
        for one in rows:  # it lacks the type only if it has none of its kinds
            option = PROG_TYPES.get(one.prog_type, "")
            verdict = explained(probe_program(prober, one), option, failure.config)
            if verdict.available is not False:
                return None
    return _probed(code, words, verdict)


def attach_type(failure: Failure) -> Explanation | None:
    """See whether the kernel's list of attach types has this one."""
    path = _ATTACH_FIELDS.get(failure.call)
    if failure.errno not in _MAY_MEAN_UNKNOWN or path is None or _was_walked(failure):
        return None
    number = failure.field(path)
    known = values_of(failure.btf, "bpf_attach_type")
    if known is None or number in known:
        return _combination(failure, number) if failure.call == "BPF_PROG_LOAD" else None
    since = first_kernels.attach_types().get(number)
    words = f"attach type {_name(AttachType, number)}"
    return _absent("attach-type-unsupported", words, "bpf_attach_type", known, number, since)


def struct_ops_link(failure: Failure) -> Explanation | None:
    """See whether the kernel attaches struct_ops maps by links: by its list of attach types."""
    if failure.errno != errno.EINVAL or failure.request is None:
        return None
    if failure.field("map_type") != MapType.STRUCT_OPS:
        return None
    if not failure.field("map_flags") & MapFlags.LINK:
        return None
    number = int(AttachType.STRUCT_OPS)
    known = values_of(failure.btf, "bpf_attach_type")
    if known is None or number in known:
        return None
    since = first_kernels.attach_types()[number]
    words = 'links of struct_ops maps, which SEC(".struct_ops.link") asks for'
    found = _absent("map-flag-refused", words, "bpf_attach_type", known, number, since)
    remedy = f'{found.remedy}; or SEC(".struct_ops"), which is attached until its map goes'
    return replace(found, remedy=remedy)


def _was_walked(failure: Failure) -> bool:
    """Whether the verifier came to look at instructions: then the kernel knows such programs."""
    error = failure.error
    return isinstance(error, VerifierError) and failing_insn(error.log) is not None


def _combination(failure: Failure, attach: int) -> Explanation | None:
    """Load the smallest program of that type for that attach type."""
    from bpfctl.features.prober import Prober
    from bpfctl.features.programs import probe_program, program_probes

    kind = failure.field("prog_type")
    for row in program_probes():
        if (row.prog_type, row.attach_type) == (kind, attach):
            with Prober() as prober:
                verdict = probe_program(prober, row)
            words = f"programs of type {_name(ProgType, kind)} for {_name(AttachType, attach)}"
            return _probed("attach-type-unsupported", words, verdict)
    return None


def field(failure: Failure) -> Explanation | None:
    """Find a field of the request that the kernel's union bpf_attr does not have."""
    if failure.errno not in {errno.EINVAL, errno.E2BIG} or failure.request is None:
        return None
    room = measure_attr() if failure.errno == errno.E2BIG else None
    for path in failure.request.fields:
        end = field_end("union bpf_attr", path)
        if room is not None and end > room:
            seen = f"the kernel takes {room} bytes of a request; {path} ends at {end}"
        elif failure.btf is not None and knows_field(failure.btf, path) is False:
            seen = f"its union bpf_attr has no {path}"
        else:
            continue
        words = f"field {path} of {failure.call}"
        return _lacking("field-unknown", words, seen, first_kernels.of_field(path))
    return None


def _absent(
    code: str, words: str, enum: str, known: dict[int, str], number: int, since: str | None
) -> Explanation:
    last = known[max(value for value in known if value < _FLAGS)]
    return _lacking(
        code, words, f"its enum {enum} has no value {number}: it ends with {last}", since
    )


def _probed(code: str, words: str, verdict: Verdict) -> Explanation | None:
    """Word a probe's answer. A kernel built without it lacks it, whatever its version."""
    if verdict.available is not False:
        return None
    if not verdict.reason.startswith("CONFIG_"):
        seen = f"the smallest of them is refused: {verdict.reason}"
        return _lacking(code, words, seen, verdict.since)
    option = verdict.reason.split()[0]
    remedy = f"use a kernel that was built with {option}"
    return Explanation(code, words, (verdict.reason,), remedy, Outcome.LACKING)


def _lacking(code: str, words: str, seen: str, since: str | None) -> Explanation:
    remedy = f"use Linux {since} or later" if since else None
    return Explanation(code, words, (seen,), remedy, Outcome.LACKING, since)


def _name(kind: type[IntEnum], number: int) -> str:
    return str(label(kind, number))
