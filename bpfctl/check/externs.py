"""Check the externs of an object: kernel functions, symbols and values of the configuration."""

from __future__ import annotations

from bpfctl.asm.insn import BPF_LD_IMM64, SLOT_BYTES
from bpfctl.btf import types as t
from bpfctl.btf.core_names import essential_name
from bpfctl.check.finding import Finding, Kind, State, settle
from bpfctl.elf.spec import RelocKind
from bpfctl.kernel.uapi_helpers import HelperId
from bpfctl.linux.version import kernel_version_code, parse_release
from bpfctl.loader.extern_result import Address, KernelType, Missing, Value
from bpfctl.loader.externs import outcomes_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from typing import Final

    from bpfctl.btf.decode import Btf
    from bpfctl.check.kernels import Target
    from bpfctl.elf.spec import ExternSpec, ObjectSpec
    from bpfctl.loader.extern_result import Outcome

_KINDS: Final = {"kfunc": Kind.KFUNC, "ksym": Kind.KSYM, "kconfig": Kind.KCONFIG}
_KFUNC_TAG: Final = "bpf_kfunc"  # pahole 1.26 marks them (Linux 6.10)
_VERSION: Final = "LINUX_KERNEL_VERSION"
# Commit 58aa2afbb1e6 ("bpf: Allow ld_imm64 instruction to point to kfunc").
_ADDRESS_SINCE: Final = "6.4"
_WRAPPERS: Final = ("__x64_sys_bpf", "__arm64_sys_bpf")


class Externs:
    """What each extern is on one kernel. `unknown` has the reasons of those nobody can tell."""

    def __init__(self, spec: ObjectSpec, target: Target) -> None:
        self.spec = spec
        self.target = target
        self.unknown: dict[str, str] = {}
        self.outcomes = self._resolved() if spec.externs else {}

    def _resolved(self) -> Mapping[str, Outcome]:
        """Resolve them as the loader does; for another kernel symbols come from its types."""
        target = self.target
        found = outcomes_of(
            self.spec,
            target.types,
            lambda: target.config,
            self._virtual(),
            self._here if target.is_running else self._listed,
        )
        for one in self.spec.externs:
            if one.name.startswith("CONFIG_") and target.config is None:
                self.unknown[one.name] = "no file tells the configuration: --kernel-config FILE"
        return found

    def _virtual(self) -> dict[str, Callable[[], int]]:
        """The values that are in no file, from its types: the loader's own way loads a program."""
        target = self.target
        cookie = int(HelperId.get_attach_cookie)
        version = self._version()
        return {
            # Where nothing tells, any value will do: `value` does not give it away.
            _VERSION: lambda: version or 0,
            "LINUX_HAS_BPF_COOKIE": lambda: int(cookie in (target.listed.helpers or ())),
            "LINUX_HAS_SYSCALL_WRAPPER": lambda: int(any(map(target.has_function, _WRAPPERS))),
        }

    def _version(self) -> int | None:
        """LINUX_VERSION_CODE of the kernel, None where nothing tells."""
        if self.target.is_running:
            return kernel_version_code()
        release = self.target.config.release if self.target.config else ""
        return kernel_version_code(parse_release(release)) if release else None

    def _here(self, names: Iterable[str]) -> dict[str, Outcome]:
        """Symbols of the running kernel; an address that is hidden from us is one."""
        from bpfctl.linux.kallsyms import addresses_of
        from bpfctl.loader.ksyms import address

        wanted = list(names)
        found = addresses_of(wanted)
        if found is None:
            self.unknown |= dict.fromkeys(wanted, "/proc/kallsyms cannot be read")
            found = {}
        return {name: address(found.get(name, frozenset())) for name in wanted}

    def _listed(self, names: Iterable[str]) -> dict[str, Outcome]:
        """Symbols that the types show; those that they do not may be there all the same."""
        btf = self.target.types.btf
        found: dict[str, Outcome] = {}
        for name in names:
            if btf.find_all(name, (t.Kind.FUNC, t.Kind.VAR)):
                found[name] = Address(1)
            else:
                found[name] = Missing("is not in its types")
                self.unknown[name] = "types do not list all symbols: only the running kernel does"
        return found

    def value(self, name: str) -> bytes | None:
        """What a program reads of the configuration; None where that is not known."""
        outcome = self.outcomes.get(name)
        if name in self.unknown or (name == _VERSION and self._version() is None):
            return None
        return outcome.data if isinstance(outcome, Value) else bytes(8)

    def is_absent(self, name: str) -> bool:
        """Whether a program gets nothing for it."""
        return isinstance(self.outcomes.get(name), Missing) and name not in self.unknown

    def is_variable(self, name: str) -> bool:
        """Whether it is a variable of the kernel with a type."""
        kinds = {one.name: one.kind for one in self.spec.externs}
        return kinds.get(name) == "ksym" and isinstance(self.outcomes.get(name), KernelType)

    # --- findings

    def findings(
        self, users: Mapping[str, list[str]], loaded: Collection[str], used: Mapping[str, str]
    ) -> Iterator[Finding]:
        """Yield a finding for each extern that a program refers to.

        `users` are the programs of each, `used` tells where programs that load go on with what
        is not there, as if it were.
        """
        for one in self.spec.externs:
            if one.name in users:
                yield self._finding(one, users[one.name], loaded, used.get(one.name, ""))

    def _finding(
        self, one: ExternSpec, who: list[str], loaded: Collection[str], used: str
    ) -> Finding:
        state, why = self._state(one, used)
        kind = _KINDS.get(one.kind, Kind.EXTERN)
        where = used if state is State.MISSING else ""
        return Finding(kind, one.name, *settle(state, why, who, loaded), tuple(who), where=where)

    def _state(self, one: ExternSpec, used: str) -> tuple[State, str]:
        if one.name in self.unknown:
            why = self.unknown[one.name]
            return (State.GUARDED, f"{why}; it is weak") if one.is_weak else (State.UNKNOWN, why)
        outcome = self.outcomes[one.name]
        if isinstance(outcome, KernelType):
            return self._typed(one, outcome)
        if not isinstance(outcome, Missing):
            return State.FOUND, ""
        why = _words(one.name, outcome)
        if outcome.fatal or not one.is_weak:
            return State.MISSING, why + ("" if self.target.has_modules else _no_modules(one))
        if used:
            return State.MISSING, f"{why}; it is weak, and used without asking for it"
        if one.kind == "kconfig":
            return State.GUARDED, f"{why}; it is weak, and 0 here"
        return State.GUARDED, f"{why}; it is weak, and nothing that runs here uses it"

    def _typed(self, one: ExternSpec, outcome: KernelType) -> tuple[State, str]:
        too_old = self.target.age.has(_ADDRESS_SINCE) is False
        if one.kind == "kfunc" and too_old and one.name in self._addressed():
            why = "is there, but programs may only ask for it (bpf_ksym_exists) since Linux"
            return State.MISSING, f"{why} {_ADDRESS_SINCE}"
        btf = outcome.module.btf if outcome.module else self.target.types.btf
        if one.kind == "ksym":
            return self._variable(one.name)
        if outcome.module is not None:
            return State.FOUND, f"in module {outcome.module.name}"
        tagged = _tagged(btf)
        if not tagged:
            return self._by_age(essential_name(one.name))
        if outcome.type_id in tagged:
            return State.FOUND, ""
        return State.MISSING, "is a function of it, but programs may not call it (no kfunc)"

    def _addressed(self) -> set[str]:
        """The externs whose address the object's code takes."""
        return {
            reloc.target
            for function in self.spec.functions.values()
            for reloc in function.relocs
            if reloc.kind is RelocKind.EXTERN
            and function.code[reloc.insn_index * SLOT_BYTES] == BPF_LD_IMM64
        }

    def _by_age(self, name: str) -> tuple[State, str]:
        """Whether a function may be called, on a kernel whose types do not say which may be."""
        from bpfctl.features.since_kfuncs import KFUNCS

        since = KFUNCS.get(name)
        may = self.target.age.has(since) if since else None
        if may is None:
            return State.UNKNOWN, "a function of it, and its types do not say which are kfuncs"
        why = f"is a function of it, and programs may call it since Linux {since}"
        return (State.FOUND, "") if may else (State.MISSING, why)

    def _variable(self, name: str) -> tuple[State, str]:
        """A variable that types show; the verifier takes its address from the list of symbols."""
        if self.target.is_running:
            from bpfctl.linux.kallsyms import addresses_of

            listed = addresses_of([name])
            if listed is None:
                return State.UNKNOWN, "/proc/kallsyms cannot be read"
            words = "is in its types, but not in /proc/kallsyms; it comes with CONFIG_KALLSYMS_ALL"
            return (State.FOUND, "") if listed else (State.MISSING, words)
        if self.target.config is None:
            return State.UNKNOWN, "its address needs CONFIG_KALLSYMS_ALL: --kernel-config FILE"
        if self.target.config.get("CONFIG_KALLSYMS_ALL") == "y":
            return State.FOUND, ""
        source = self.target.config.source
        return State.MISSING, f"CONFIG_KALLSYMS_ALL is not set in {source}: it has no address"


def _tagged(btf: Btf) -> frozenset[int]:
    """The functions that a kernel's types mark as kfuncs; none before Linux 6.10."""
    tags = btf.find_all(_KFUNC_TAG, (t.Kind.DECL_TAG,))
    found = (btf.type(one) for one in tags)
    return frozenset(one.type_id for one in found if isinstance(one, t.DeclTag))


def _words(name: str, why: Missing) -> str:
    words = why.reason
    if why.option and why.option != name:
        words += f"; it comes with {why.option}"
    return words + (f"; there is {' and '.join(why.nearest)}" if why.nearest else "")


def _no_modules(one: ExternSpec) -> str:
    return "; modules were not looked into" if one.kind in ("kfunc", "ksym") else ""
