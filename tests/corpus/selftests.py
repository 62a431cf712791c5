"""The kernel's own BPF selftests, compiled as their Makefile does, against this kernel's types."""

from __future__ import annotations

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.corpus import compiler, places
from tests.corpus.debian import NEXT, fetch
from tests.vm.cache import built
from tests.vm.errors import VmError
from tests.vm.tools import program, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = "6.12"
NAME = f"selftests-{VERSION}"
KERNEL_BTF = "/sys/kernel/btf/vmlinux"
PARTS = ("scripts/bpf_doc.py", "tools/include", "tools/lib/bpf", "tools/testing/selftests/bpf")
SELFTESTS = "tools/testing/selftests/bpf"
# tools/testing/selftests/bpf/Makefile, Linux 6.12: CLANG_BPF_BUILD_RULE, BPF_CFLAGS, CLANG_CFLAGS.
FLAGS = (
    *("-g", "-O2", "--target=bpf", "-mcpu=v3", "-mlittle-endian", "-std=gnu11", "-w"),
    *("-D__TARGET_ARCH_x86", "-DENABLE_ATOMICS_TESTS", "-fno-strict-aliasing"),
    *("-I/src/generated", f"-I/src/{SELFTESTS}", "-I/src/tools/include/uapi", "-I/src/include"),
    *("-idirafter", "/usr/lib/llvm-19/lib/clang/19/include"),
    *("-idirafter", "/usr/include/x86_64-linux-gnu", "-idirafter", "/usr/include"),
)
# bpftool writes the kfuncs of the running kernel into vmlinux.h; some tests have other prototypes.
VARIANTS: tuple[tuple[str, ...], ...] = ((), ("-DBPF_NO_KFUNC_PROTOTYPES",))
LIMIT_S = 120


def prepare() -> None:
    """Place the objects that compile in the corpus, unless they are there."""
    target = places.objects() / NAME
    if target.is_dir():
        return
    tree = compiler.tree()
    _sources(tree)
    _generate(tree)
    with built(target) as work:
        _compile_all(tree, work)


def _sources(tree: Path) -> None:
    """Unpack what the selftests consist of to /src of the compiler's tree."""
    if (tree / "src").is_dir():
        return
    package = fetch(NEXT, f"linux-source-{VERSION}")
    name = f"linux-source-{VERSION}"
    wanted = " ".join(f"{name}/{part}" for part in PARTS)
    with built(tree / "src") as work:
        run(
            *("sh", "-ec"),
            f"dpkg-deb --fsys-tarfile {package} | tar -xOf - ./usr/src/{name}.tar.xz"
            f" | tar -xJf - -C {work} --strip-components=1 {wanted}",
        )


def _generate(tree: Path) -> None:
    """Write the headers that a build makes: the helpers', and the running kernel's types."""
    source = tree / "src"
    generated = source / "generated"
    generated.mkdir(exist_ok=True)
    (source / "include").mkdir(exist_ok=True)
    headers = source / "include" / "bpf"
    if not headers.is_symlink():
        headers.symlink_to("../tools/lib/bpf")
    helpers = run(
        *("python3", str(source / "scripts/bpf_doc.py"), "--header"),
        *("--file", str(source / "tools/include/uapi/linux/bpf.h")),
    )
    (source / "tools/lib/bpf/bpf_helper_defs.h").write_bytes(helpers)
    dump = ("btf", "dump", "file", KERNEL_BTF, "format", "c")
    (generated / "vmlinux.h").write_bytes(run(str(places.bpftool()), *dump))


def _compile_all(tree: Path, target: Path) -> None:
    sources = sorted((tree / "src" / SELFTESTS / "progs").glob("*.c"))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = list(pool.map(lambda source: _compile(tree, source, target), sources))
    failed = [text for text in complaints if text]
    (places.work() / "selftests.failed").write_text("\n".join(failed))
    print(f"tests.corpus: {len(sources) - len(failed)} of {len(sources)} selftests compile")
    if len(failed) > len(sources) // 2:
        raise VmError(f"most selftests do not compile: {failed[0]}")


def _compile(tree: Path, source: Path, target: Path) -> str:
    """Compile one source; return what the compiler said when it cannot."""
    said = ""
    for words in _attempts(tree, source):
        try:
            done = subprocess.run(words, capture_output=True, timeout=LIMIT_S, check=False)
        except subprocess.TimeoutExpired:
            return f"{source.name}: not compiled within {LIMIT_S} seconds"
        said = done.stderr.decode(errors="replace")
        if done.returncode == 0:
            made = tree / "tmp" / f"{source.stem}.o"
            shutil.copy(made, target / made.name)
            return ""
    return f"{source.name}: {said}"


def _attempts(tree: Path, source: Path) -> Iterator[list[str]]:
    for variant in VARIANTS:
        yield [
            *(program("chroot"), str(tree), compiler.CLANG, *FLAGS, *variant),
            *("-c", f"/src/{SELFTESTS}/progs/{source.name}", "-o", f"/tmp/{source.stem}.o"),
        ]
