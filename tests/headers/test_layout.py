"""Headers from the kernel's types, judged by a compiler."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bpfctl.btf import types as t
from bpfctl.btf.c_dump import Wanted, c_header
from bpfctl.btf.c_layout import Layouts
from bpfctl.btf.contexts import all_contexts
from bpfctl.btf.decode import Btf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VMLINUX = "/sys/kernel/btf/vmlinux"


def structs(btf: Btf) -> Iterator[t.Struct]:
    """Yield the structs and unions whose names are those of no other type."""
    found = [one for one in btf.types() if isinstance(one, t.Struct | t.Enum | t.Fwd) and one.name]
    counts: dict[str, int] = {}
    for one in found:
        counts[one.name] = counts.get(one.name, 0) + 1
    yield from (one for one in found if isinstance(one, t.Struct) and counts[one.name] == 1)


def assertions(btf: Btf, struct: t.Struct) -> Iterator[str]:
    """Yield what must be true of a struct in C: its size, and the offsets of its members."""
    word = f"{'union' if struct.is_union else 'struct'} {struct.name}"
    yield f'_Static_assert(sizeof({word}) == {struct.size_bytes}, "{struct.name}");'
    layouts = Layouts(btf)
    to_do = [(struct, "", 0)]
    while to_do:
        outer, prefix, base = to_do.pop()
        for member in outer.members:
            offset, bits = layouts.place(member)
            if bits:
                continue
            path = prefix + member.name
            if member.name:
                place = f"__builtin_offsetof({word}, {path})"
                yield f'_Static_assert({place} == {(base + offset) // 8}, "{struct.name}.{path}");'
            inner = btf.type(btf.skip_modifiers(member.type_id))
            if isinstance(inner, t.Struct) and not inner.name:
                to_do.append((inner, f"{path}." if member.name else prefix, base + offset))


def test_a_compiler_finds_every_member_where_btf_has_it(
    tmp_path: Path, tool: Callable[[str], str]
) -> None:
    """All structs of the kernel: about 10,000 sizes and 60,000 offsets, and all contexts."""
    btf = Btf.parse(Path(VMLINUX).read_bytes())
    wanted = Wanted.everything(btf)._replace(contexts=list(all_contexts(btf)))
    (tmp_path / "vmlinux.h").write_text("".join(c_header(btf, wanted)))
    lines = [line for struct in structs(btf) for line in assertions(btf, struct)]
    assert len(lines) > 10_000
    source = tmp_path / "layout.bpf.c"
    source.write_text('#include "vmlinux.h"\n' + "\n".join(lines) + "\n")
    words = [tool("clang"), "-target", "bpf", "-Wall", "-Werror", "-fsyntax-only", str(source)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr[-2000:]) == (0, "")
