"""Check the helper functions that programs call, and the instructions they are made of."""

from __future__ import annotations

from bpfctl.check.finding import Finding, Kind, State, settle
from bpfctl.features.allowed import may_call
from bpfctl.features.since_insns import EXCEPTIONS, SINCE, insn_features
from bpfctl.kernel.uapi_helpers import HelperId

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from bpfctl.check.code import ProgramCode
    from bpfctl.check.kernels import Target
    from bpfctl.check.needs import Needs
    from bpfctl.elf.spec import FunctionSpec, ObjectSpec


def helper_findings(
    needs: Needs, codes: Mapping[str, ProgramCode], loaded: Collection[str], target: Target
) -> Iterator[Finding]:
    """Yield a finding for each helper. One that is missing harms where its call is reached."""
    listed = target.listed.helpers
    for number, who in needs.helpers.items():
        name, where = helper_name(number), ""
        if listed is None:
            state, why = State.UNKNOWN, "its types have no enum bpf_func_id"
        else:
            state, why, users = _listed(number, who, codes, target)
            if state is not State.FOUND:
                places = _reached(number, users, codes)
                where = next((at for one, at in places.items() if one in loaded), "")
                state, why = settle(state, why, list(places), loaded)
                if not places:
                    state, why, where = State.GUARDED, f"{why}; nothing gets there", ""
        yield Finding(Kind.HELPER, name, state, why, tuple(who), where=where)


def _listed(
    number: int, who: list[str], codes: Mapping[str, ProgramCode], target: Target
) -> tuple[State, str, list[str]]:
    """Whether a kernel has a helper for programs of these sections; if not, for which programs."""
    if number not in (target.listed.helpers or ()):
        return State.MISSING, f"its enum bpf_func_id has no {number}", who
    told = {one: may_call(codes[one].section, number, target.age) for one in who}
    harmless: tuple[State, str, list[str]] = (State.FOUND, "", [])
    for state, may in ((State.MISSING, False), (State.UNKNOWN, None)):
        users = [one for one, verdict in told.items() if verdict.may is may]
        reached = list(_reached(number, users, codes))
        if reached:
            return state, told[reached[0]].why, reached
        if users and harmless[0] is State.FOUND:
            harmless = (state, told[users[0]].why, users)
    return harmless


def _reached(number: int, who: list[str], codes: Mapping[str, ProgramCode]) -> dict[str, str]:
    """Where programs reach a call of a helper."""
    found = {}
    for name in who:
        code = codes[name]
        calls = [at for at, called in code.helper_calls().items() if called == number]
        place = next((at for at in calls if at in code.reached.insns), None)
        if place is not None:
            found[name] = code.where(place)
    return found


def helper_name(number: int) -> str:
    """The name of a helper in C; its number where we do not know it."""
    try:
        return f"bpf_{HelperId(number).name.lower()}"
    except ValueError:
        return f"helper {number}"


def _features(function: FunctionSpec) -> dict[str, str]:
    """What a function has of newer kernels, and the first of each."""
    handled = {EXCEPTIONS: SINCE[EXCEPTIONS]} if function.exception_callback else {}
    return insn_features(function.code) | handled


def insn_findings(
    spec: ObjectSpec, needs: Needs, loaded: Collection[str], target: Target
) -> Iterator[Finding]:
    """Yield a finding for each sort of instruction that came after the first kernels.

    Types do not show what a verifier takes: the age of the kernel does.
    """
    users: dict[str, list[str]] = {}
    since: dict[str, str] = {}
    for key, who in needs.functions.items():
        for feature, version in _features(spec.functions[key]).items():
            since[feature] = version
            users.setdefault(feature, []).extend(one for one in who if one not in users[feature])
    for feature, who in users.items():
        has = target.age.has(since[feature])
        state, why = State.FOUND, ""
        if has is None:
            state, why = State.UNKNOWN, f"they came with Linux {since[feature]}: its age is unclear"
        elif not has:
            state, why = State.MISSING, f"they came with Linux {since[feature]}, it is older"
        yield Finding(Kind.CODE, feature, *settle(state, why, who, loaded), tuple(who))
