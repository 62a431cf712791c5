"""What a tracing program gets as its context: the arguments of what it is attached to, by name.

The context is an array of 8-byte slots; an argument takes one, a struct passed by value as many as
it fills. What a program sees behind the arguments is the value returned.
Sources: btf_ctx_access() in kernel/bpf/btf.c and bpf_get_func_arg() in kernel/trace/bpf_trace.c,
Linux 6.18; DEFINE_BPF_ITER_FUNC in include/linux/bpf.h.
"""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.types import Kind
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator
    from typing import Final

    from bpfctl.btf.decode import Btf

SLOT_BYTES: Final = 8
MAX_SLOTS: Final = 12  # MAX_BPF_FUNC_ARGS; the kernel attaches to nothing that has more


class ContextMember(NamedTuple):
    """An argument, or the value returned."""

    name: str
    type_id: int


class Context(NamedTuple):
    """The context of the programs of one section, as a struct called `name`."""

    section: str
    name: str
    members: tuple[ContextMember, ...]


class ContextKind(NamedTuple):
    """How the types of one kind of section stand for its contexts.

    `kinds` are the section's words that share a context ("fexit" and "fmod_ret" see the same).
    The prototype is that of the function called `prefix` and the target, without its first
    `hidden` parameters, which programs do not get; `returns` adds the value returned.
    """

    words: tuple[str, ...]
    prefix: str
    hidden: int = 0
    returns: bool = False


TRACEPOINT: Final = ContextKind(("tp_btf", "raw_tp", "raw_tracepoint"), "__traceiter_", hidden=1)
LSM: Final = ContextKind(("lsm", "lsm_cgroup"), "bpf_lsm_", returns=True)
ITERATOR: Final = ContextKind(("iter",), "bpf_iter_")
ENTRY: Final = ContextKind(("fentry",), "")
EXIT: Final = ContextKind(("fexit", "fmod_ret", "fsession"), "", returns=True)
KINDS: Final = (TRACEPOINT, LSM, ITERATOR, ENTRY, EXIT)
_BY_WORD: Final = {word: kind for kind in KINDS for word in kind.words}
# Only the type of a tracepoint's function stands for it in a load, and it has no names.
_TRACEPOINT_TYPE: Final = "btf_trace_"
_ITERATOR_CONTEXT: Final = "bpf_iter__"  # what the kernel's own headers call the struct
_IMPLEMENTATION: Final = "_impl"
_HOOKS: Final = "security_list_options"  # union of all hooks (include/linux/lsm_hooks.h)
_STANDING: Final = ("__traceiter_", "__probestub_", "__bpf_trace_", "bpf_lsm_")


def context_kind(word: str) -> ContextKind | None:
    """The kind of context that programs of `SEC("word/...")` get, None for all others.

    The suffix of programs that may sleep (".s") changes nothing.
    """
    return _BY_WORD.get(word.removesuffix(".s"))


def find_context(btf: Btf, word: str, target: str) -> Context | None:
    """The context of `SEC("word/target")`; None where the types have no such target.

    Raises: BtfError for a function that programs cannot be attached to.
    """
    kind = context_kind(word)
    if kind is None or (kind is LSM and not _is_hook(_hooks(btf), target)):
        return None
    proto = _prototype(btf, btf.find(kind.prefix + target, Kind.FUNC))
    if proto is None and kind is TRACEPOINT:
        proto = _prototype(btf, btf.find(_TRACEPOINT_TYPE + target, Kind.TYPEDEF))
    if proto is None:
        return None
    if not kind.prefix:
        proto = _whole(btf, proto, btf.find(target + _IMPLEMENTATION, Kind.FUNC))
    reason = _Fitness(btf).complaint(kind, proto)
    if reason:
        raise btf.error(f"{target} {reason}: no program can be attached to it", proto.id)
    return _context(kind, word, target, proto)


def all_contexts(btf: Btf, words: Container[str] = _BY_WORD) -> Iterator[Context]:
    """Yield the contexts of all targets of these words, without those that have no members.

    They come by kind and name. Functions that programs cannot be attached to are left out.
    """
    fitness = _Fitness(btf)
    functions = {btf.name(i): i for i in reversed(btf.ids((Kind.FUNC,)))}
    for kind in KINDS:
        word = next((one for one in kind.words if one in words), None)
        if word is None:
            continue
        for target, type_id in sorted(_targets(btf, kind, functions).items()):
            proto = _prototype(btf, type_id)
            if proto is None:
                continue
            if not kind.prefix:
                proto = _whole(btf, proto, functions.get(target + _IMPLEMENTATION))
            if not fitness.complaint(kind, proto):
                context = _context(kind, word, target, proto)
                if context.members:
                    yield context


def _targets(btf: Btf, kind: ContextKind, functions: dict[str, int]) -> dict[str, int]:
    """The targets of one kind, each with the type that has its prototype."""
    if kind is TRACEPOINT:
        types = {btf.name(i): i for i in btf.ids((Kind.TYPEDEF,))}
        targets = _without(_TRACEPOINT_TYPE, types)
        return {name: functions.get(kind.prefix + name, i) for name, i in targets.items()}
    iterators = {
        name: i for name, i in _without(ITERATOR.prefix, functions).items() if _iterates(btf, name)
    }
    if kind is ITERATOR:
        return iterators
    if kind is LSM:
        hooks = _hooks(btf)
        found = _without(kind.prefix, functions)
        return {name: i for name, i in found.items() if _is_hook(hooks, name)}
    standing = {ITERATOR.prefix + name for name in iterators}
    return {
        name: i
        for name, i in functions.items()
        if name not in standing and not name.startswith(_STANDING)
    }


def _without(prefix: str, types: dict[str, int]) -> dict[str, int]:
    return {name.removeprefix(prefix): i for name, i in types.items() if name.startswith(prefix)}


def _hooks(btf: Btf) -> frozenset[str]:
    """The names of all hooks; empty where the types do not tell.

    Functions that only help with them are called like those that stand for them.
    """
    found = btf.find(_HOOKS, Kind.UNION)
    union = btf.type(found) if found is not None else None
    members = union.members if isinstance(union, t.Struct) else ()
    return frozenset(one.name for one in members)


def _is_hook(hooks: frozenset[str], target: str) -> bool:
    return not hooks or target in hooks


def _iterates(btf: Btf, target: str) -> bool:
    """Whether it is the target of an iterator: what else begins with the word has no context."""
    return btf.find(_ITERATOR_CONTEXT + target, Kind.STRUCT) is not None


def _prototype(btf: Btf, type_id: int | None) -> t.FuncProto | None:
    """The prototype of a function, or that behind a typedef of a pointer to one."""
    found = btf.type(type_id) if type_id is not None else None
    if isinstance(found, t.Func):
        return btf.func_proto(found.id)
    for _ in range(2):
        found = btf.type(found.type_id) if isinstance(found, t.Typedef | t.Ptr) else None
    return found if isinstance(found, t.FuncProto) else None


def _whole(btf: Btf, proto: t.FuncProto, implementation: int | None) -> t.FuncProto:
    """The prototype that a function is called with: more than programs see of some kfuncs.

    Since Linux 7.0 kfuncs may have arguments that the verifier fills in; "name" is then what
    programs call, and "name_impl" has them all, behind the others. Tracing goes by the latter.
    """
    real = _prototype(btf, implementation)
    known = [param.name for param in proto.params]
    if real is None or len(real.params) <= len(known):
        return proto
    return real if [param.name for param in real.params[: len(known)]] == known else proto


def _context(kind: ContextKind, word: str, target: str, proto: t.FuncProto) -> Context:
    params = proto.params[kind.hidden :]
    members = [
        ContextMember(param.name or f"arg{number}", param.type_id)
        for number, param in enumerate(params)
    ]
    if kind.returns and proto.return_type_id:
        taken = any(member.name == "ret" for member in members)
        members.append(ContextMember("ret_value" if taken else "ret", proto.return_type_id))
    name = f"{word.removesuffix('.s')}_{target}_ctx"
    return Context(f"{word}/{target}", name, tuple(members))


class _Fitness:
    """Tells which functions the kernel attaches programs to; sizes of types are found once.

    Source: btf_distill_func_proto() in kernel/bpf/btf.c, Linux 6.18.
    """

    def __init__(self, btf: Btf) -> None:
        self._btf = btf
        self._slots: dict[int, int] = {}

    def complaint(self, kind: ContextKind, proto: t.FuncProto) -> str:
        """Why no program can be attached, "" where nothing is in the way."""
        slots = 0
        for param in proto.params[kind.hidden :]:
            if not param.type_id:
                return "takes a variable number of arguments"
            slots += self._slots.get(param.type_id) or self._find_slots(param.type_id)
        if slots > MAX_SLOTS:
            return f"takes more than {MAX_SLOTS} words of arguments"
        if isinstance(self._btf.type(self._btf.skip_modifiers(proto.return_type_id)), t.Struct):
            return "returns a struct"
        return ""

    def _find_slots(self, type_id: int) -> int:
        pointer = isinstance(self._btf.type(type_id), t.Ptr)
        slots = 1 if pointer else -(-self._btf.size_of(type_id) // SLOT_BYTES)
        self._slots[type_id] = slots
        return slots
