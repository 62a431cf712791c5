"""Selftests that consist of several objects: bpftool's linker makes one of them."""

from __future__ import annotations

from tests.corpus import places, selftests
from tests.vm.cache import built
from tests.vm.tools import run

# tools/testing/selftests/bpf/Makefile, Linux 6.12: LINKED_SKELS and the -deps of each.
PARTS = {
    "linked_funcs": ("linked_funcs1", "linked_funcs2"),
    "linked_maps": ("linked_maps1", "linked_maps2"),
    "linked_vars": ("linked_vars1", "linked_vars2"),
    "test_static_linked": ("test_static_linked1", "test_static_linked2"),
    "test_subskeleton": ("test_subskeleton_lib2", "test_subskeleton_lib", "test_subskeleton"),
    "test_usdt": ("test_usdt", "test_usdt_multispec"),
}


def prepare() -> None:
    """Link what is missing; the parts must be compiled. Raises: VmError."""
    target = places.objects() / f"{selftests.NAME}-linked"
    if target.is_dir():
        return
    with built(target) as work:
        for name, parts in PARTS.items():
            paths = [str(places.objects() / selftests.NAME / f"{part}.o") for part in parts]
            run(str(places.bpftool()), "gen", "object", str(work / f"{name}.o"), *paths)
