"""Headers and programs that use them, compiled on this machine for any kernel."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from bpfctl.btf import types as t
from bpfctl.btf.c_dump import Wanted, c_header
from bpfctl.btf.c_layout import Layouts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bpfctl.btf.contexts import Context
    from bpfctl.btf.decode import Btf

HEADER = "vmlinux.h"
_TAGS = (t.Kind.STRUCT, t.Kind.UNION, t.Kind.ENUM, t.Kind.ENUM64, t.Kind.FWD)
LIVE = Path(__file__).parent / "live.bpf.c"


class CompilerError(AssertionError):
    """The compiler said something: errors, or warnings."""


def compile_source(clang: str, source: Path, *options: str) -> None:
    """Compile a program beside its header. Raises: CompilerError."""
    words = [clang, "-target", "bpf", "-g", "-O2", "-Wall", "-Werror", *options, str(source)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=source.parent)
    if done.returncode or done.stderr:
        raise CompilerError(f"{source.name}: {done.stderr[:2000]}")


def write_header(btf: Btf, target: Path, contexts: Sequence[Context]) -> None:
    """Write the whole header of a kernel, with some contexts."""
    wanted = Wanted.everything(btf)._replace(contexts=contexts)
    with target.open("w") as file:
        file.writelines(c_header(btf, wanted))


def write_assertions(btf: Btf, source: Path) -> int:
    """Write what must be true in C of every struct and member; return how many lines."""
    lines = [line for word, struct in _structs(btf) for line in _assertions(btf, word, struct)]
    source.write_text(f'#include "{HEADER}"\n' + "\n".join(lines) + "\n")
    return len(lines)


def _structs(btf: Btf) -> Iterator[tuple[str, t.Struct]]:
    """Yield structs and unions whose names are those of nothing else, and how C calls them.

    Anonymous ones have the names of their typedefs.
    """
    tags = [btf.type(i) for i in btf.ids(_TAGS)]
    counts = Counter(one.name for one in tags)
    for one in tags:
        if isinstance(one, t.Struct) and counts[one.name] == 1:
            yield f"{'union' if one.is_union else 'struct'} {one.name}", one
    typedefs = [
        one for i in btf.ids((t.Kind.TYPEDEF,)) if isinstance(one := btf.type(i), t.Typedef)
    ]
    counts = Counter(one.name for one in typedefs)
    counts.update(value.name for one in tags if isinstance(one, t.Enum) for value in one.values)
    for typedef in typedefs:
        behind = btf.type(typedef.type_id)
        if isinstance(behind, t.Struct) and not behind.name and counts[typedef.name] == 1:
            yield typedef.name, behind


def _assertions(btf: Btf, word: str, struct: t.Struct) -> Iterator[str]:
    """Yield the size of a struct, and the offsets of its members."""
    yield f'_Static_assert(sizeof({word}) == {struct.size_bytes}, "{word}");'
    layouts = Layouts(btf)
    to_do = [(struct, "", 0)]
    while to_do:
        outer, prefix, base = to_do.pop()
        for member in outer.members:
            offset, bits = layouts.place(member)
            path = prefix + member.name
            if member.name and not bits:
                place = f"__builtin_offsetof({word}, {path})"
                yield f'_Static_assert({place} == {(base + offset) // 8}, "{word}.{path}");'
            inner = btf.type(btf.skip_modifiers(member.type_id))
            if isinstance(inner, t.Struct) and not inner.name:
                to_do.append((inner, f"{path}." if member.name else prefix, base + offset))


def write_programs(btf: Btf, contexts: Sequence[Context], source: Path, header: str) -> None:
    """Write one program for each context, which reads what every kernel lets it read."""
    lines = [f'#include "{header}"', "#include <bpf/bpf_helpers.h>", "volatile __u64 sink;", ""]
    for number, context in enumerate(contexts):
        lines.append(f'SEC("{context.section}")')
        lines.append(f"int program{number}(struct {context.name} *ctx)\n{{")
        lines += [
            f"\tsink = (__u64)ctx->{member.name};"
            for member in context.members
            if _readable(btf, member.type_id)
        ]
        lines.append("\treturn 0;\n}\n")
    lines.append('char LICENSE[] SEC("license") = "GPL";')
    source.write_text("\n".join(lines) + "\n")


def _readable(btf: Btf, type_id: int) -> bool:
    """Whether the verifier of old kernels allows it: numbers, and pointers to structs.

    Source: btf_ctx_access() in kernel/bpf/btf.c, Linux 5.10 ("type is not a struct").
    """
    found = btf.type(btf.skip_modifiers(type_id))
    if isinstance(found, t.Ptr):
        found = btf.type(btf.skip_modifiers(found.type_id))
        return isinstance(found, t.Struct) and not found.is_union
    return isinstance(found, t.Int | t.Enum)
