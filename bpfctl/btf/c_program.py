"""A program to begin with, for one section: complete, commented, and ready to be compiled."""

from __future__ import annotations

from bpfctl.btf import types as t
from bpfctl.btf.c_contexts import ContextStructs
from bpfctl.btf.c_declare import Declarator
from bpfctl.btf.c_layout import Layouts
from bpfctl.btf.c_unique import Names, identifier
from bpfctl.btf.contexts import ITERATOR, LSM, context_kind
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.contexts import Context, ContextMember
    from bpfctl.btf.decode import Btf

_SHOWN: Final = 3  # what bpf_printk() takes without Linux 5.16
_NARROW_BYTES: Final = 4


class _Print(NamedTuple):
    """A conversion for a value, and the expression that reads it."""

    conversion: str
    value: str


def contexts_text(btf: Btf, contexts: list[Context]) -> str:
    """The structs of some contexts, for a program that includes vmlinux.h before them."""
    structs = ContextStructs(btf, Declarator(btf, Layouts(btf), Names()))
    return "".join(map(structs.text, contexts))


def program_text(btf: Btf, context: Context) -> str:
    """The source of a program for the section of `context`, which says what it does.

    It includes vmlinux.h (`bpfctl btf dump kernel format c`) and libbpf's bpf_helpers.h.
    """
    word, _, target = context.section.partition("/")
    name = f"on_{identifier(target)}"
    file = f"{identifier(target)}.bpf"
    return f"""\
/* SEC("{context.section}"): {_WHEN[_plain(word)].format(target)}
 *
{_commands(word, name, file)} */
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>

/* What the program gets: {_GETS[_plain(word)]}. */{contexts_text(btf, [context])}
SEC("{context.section}")
int {name}(struct {identifier(context.name)} *ctx)
{{
{_body(btf, context)}}}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
"""


_WHEN: Final = {
    "tp_btf": "runs at the tracepoint {}.",
    "raw_tp": "runs at the tracepoint {}.",
    "raw_tracepoint": "runs at the tracepoint {}.",
    "lsm": "decides at the security hook {}: 0 allows, -EPERM and the like forbid.",
    "lsm_cgroup": "decides at the hook {} for the processes of a cgroup: 1 allows, 0 forbids.",
    "iter": "runs for each element of {}, and once more at the end.",
    "fentry": "runs when {}() is entered.",
    "fexit": "runs when {}() returns.",
    "fmod_ret": "runs before {}(), and instead of it when it returns an error.",
    "fsession": "runs when {}() is entered, and again when it returns.",
}
_ARGUMENTS: Final = "the arguments, each in a slot of 8 bytes"
_GETS: Final = {
    **dict.fromkeys(("tp_btf", "raw_tp", "raw_tracepoint", "fentry"), _ARGUMENTS),
    "lsm": f"{_ARGUMENTS}, and what the program before it decided",
    "lsm_cgroup": _ARGUMENTS,
    "iter": "where to write, and the element",
    "fexit": f"{_ARGUMENTS}, and the value returned",
    "fmod_ret": f"{_ARGUMENTS}, and what the program before it returned",
    "fsession": f"{_ARGUMENTS}, and when it returns the value returned",
}


def _plain(word: str) -> str:
    return word.removesuffix(".s")


def _commands(word: str, name: str, file: str) -> str:
    """From here to a running program."""
    pin = f"/sys/fs/bpf/{name}"
    where = " cgroup /sys/fs/cgroup/YOURS" if _plain(word) == "lsm_cgroup" else ""
    run = [f"prog load {file}.o {pin}", f"link create pinned {pin}{where} --pin {pin}_link"]
    if _plain(word) == "iter":
        run = [f"iter run {file}.o"]
    lines = [
        "bpfctl btf dump kernel format c > vmlinux.h",
        f"clang -target bpf -g -O2 -c {file}.c -o {file}.o",
        *(f"bpfctl {one}" for one in run),
    ]
    return "".join(f" *   {line}\n" for line in lines)


def _body(btf: Btf, context: Context) -> str:
    kind = context_kind(context.section.partition("/")[0])
    if kind is ITERATOR:
        return _iterator_body(btf, context)
    shown = [found for found in (_print(btf, one) for one in context.members) if found][:_SHOWN]
    target = context.section.partition("/")[2]
    formats = "".join(f" {one.conversion}" for one in shown)
    values = "".join(f", {one.value}" for one in shown)
    lines = f'\tbpf_printk("{target}:{formats}"{values}); /* /sys/kernel/tracing/trace_pipe */\n'
    return lines + f"\treturn {_result(context, lsm=kind is LSM)};\n"


def _result(context: Context, *, lsm: bool) -> str:
    """What changes nothing: an LSM program lets the decision of the one before it stand."""
    if context.section.startswith("lsm_cgroup"):
        return "1"
    last = context.members[-1].name if context.members else ""
    return f"ctx->{last}" if lsm and last in ("ret", "ret_value") else "0"


def _iterator_body(btf: Btf, context: Context) -> str:
    """Write a line for each element; where there is one, its first member that is a number."""
    element = context.members[1] if len(context.members) > 1 else None
    lines = ['\tstatic const char line[] = "element %llu\\n";', "\t__u64 number;", ""]
    if element is not None and isinstance(btf.type(element.type_id), t.Ptr):
        lines += [
            f"\tif (!ctx->{identifier(element.name)}) /* behind the last one */",
            "\t\treturn 0;",
        ]
    lines += [
        "\tnumber = ctx->meta->seq_num;",
        "\tbpf_seq_printf(ctx->meta->seq, line, sizeof(line), &number, sizeof(number));",
        "\treturn 0;",
    ]
    return "\n".join(lines) + "\n"


def _is_readable(btf: Btf, pointer: t.Ptr) -> bool:
    """Source: btf_ctx_access() in kernel/bpf/btf.c, Linux 5.10."""
    target = btf.type(btf.skip_modifiers(pointer.type_id))
    return not pointer.type_id or isinstance(target, t.Struct)


def _print(btf: Btf, member: ContextMember) -> _Print | None:
    """How to print a member; what kernels of any age let programs read.

    Before Linux 5.13 that is of all pointers those to structs and to nothing. Structs are left out.
    """
    value = f"ctx->{identifier(member.name)}"
    found = btf.type(btf.skip_modifiers(member.type_id))
    match found:
        case t.Ptr() if _is_readable(btf, found):
            return _Print("%p", value)
        case t.Enum() if found.size_bytes <= _NARROW_BYTES:
            return _Print("%d", value)
        case t.Int() if found.size_bytes <= _NARROW_BYTES:
            return _Print("%d" if found.is_signed or found.is_bool else "%u", value)
        case t.Int() if found.size_bytes == 2 * _NARROW_BYTES:
            return _Print("%ld" if found.is_signed else "%lu", value)
        case _:
            return None
