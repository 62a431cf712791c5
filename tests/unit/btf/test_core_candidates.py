"""Several types of the kernel with the name of one of the object's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.btf.core import CoreTarget, resolve
from bpfctl.btf.core_fixup import CoreKind
from bpfctl.btf.decode import Btf
from bpfctl.btf.ext import CoreRelo
from bpfctl.errors import RelocationError

from .core_pairs import Types, fixup

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from bpfctl.btf.types import Kind

INT, LONG = Types.INT, Types.LONG
OFFSET, EXISTS = CoreKind.FIELD_BYTE_OFFSET, CoreKind.FIELD_EXISTS


def test_candidates_that_differ_are_named() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 0))
    kernel.struct("s", ("x", INT, 8))
    kernel.struct("s___2", ("y", INT, 8))
    kernel.struct("s", ("x", INT, 12))
    with pytest.raises(RelocationError) as caught:
        fixup(local, root, "0:0", OFFSET, kernel)
    err = caught.value
    assert (err.code, err.insn_index, err.symbol) == ("core-ambiguous", 3, "struct s.x (0:0)")
    assert str(err) == "several types of the kernel could be struct s, and they differ"
    assert err.evidence == [
        "struct s [7] says 8 for field byte offset",
        "struct s [9] says 12 for field byte offset",
    ]


def test_candidates_that_agree_are_fine() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 0))
    kernel.struct("s", ("x", INT, 8))
    kernel.struct("s", ("x", INT, 8), ("y", INT, 12))
    found = fixup(local, root, "0:0", OFFSET, kernel)
    assert (found.value, found.target) == (8, "struct s [7]")
    assert found.candidates == ("struct s [7]", "struct s [8]")


def test_sizes_agree_but_places_do_not() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 0))
    kernel.struct("s", ("x", INT, 8))
    kernel.struct("s", ("x", INT, 12))
    with pytest.raises(RelocationError, match="they differ"):
        fixup(local, root, "0:0", CoreKind.FIELD_BYTE_SIZE, kernel)


def test_existence_in_several_places_is_ambiguous_too() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 0))
    kernel.struct("s", ("x", INT, 8))
    kernel.struct("s", ("x", INT, 12))
    with pytest.raises(RelocationError, match="they differ"):
        fixup(local, root, "0:0", EXISTS, kernel)


def test_ids_of_two_types_are_ambiguous() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s")
    kernel.struct("s")
    kernel.struct("s")
    with pytest.raises(RelocationError, match="they differ"):
        fixup(local, root, "0", CoreKind.TYPE_ID_TARGET, kernel)


def _two_structs() -> tuple[Btf, CoreTarget]:
    """Only the second of the kernel's two has both members."""
    local, kernel = Types(), Types()
    local.struct("s", ("x", INT, 0), ("only_b", INT, 4))
    kernel.struct("s", ("x", INT, 8))
    kernel.struct("s", ("x", INT, 12), ("only_b", INT, 0))
    return local.btf(), CoreTarget(kernel.btf())


def test_a_member_that_only_one_has_decides_for_the_others() -> None:
    local, target = _two_structs()
    assert resolve(local, CoreRelo(0, 7, "0:1", OFFSET), target).target == "struct s [8]"
    found = resolve(local, CoreRelo(8, 7, "0:0", OFFSET), target)
    assert (found.value, found.candidates) == (12, ("struct s [8]",))


def test_objects_do_not_decide_for_each_other() -> None:
    local, target = _two_structs()
    resolve(local, CoreRelo(0, 7, "0:1", OFFSET), target)
    other, _ = _two_structs()
    with pytest.raises(RelocationError, match="they differ"):
        resolve(other, CoreRelo(8, 7, "0:0", OFFSET), target)


def test_a_miss_leaves_the_candidates_alone() -> None:
    local, kernel = Types(), Types()
    root = local.struct("s", ("x", INT, 0), ("gone", INT, 4))
    kernel.struct("s", ("x", INT, 8))
    target, ours = CoreTarget(kernel.btf()), local.btf()
    assert resolve(ours, CoreRelo(0, root, "0:1", OFFSET), target).poison
    assert resolve(ours, CoreRelo(8, root, "0:0", OFFSET), target).value == 8


def test_each_name_is_searched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    searched: list[str] = []
    real = Btf.find_flavors

    def counting(self: Btf, name: str, kinds: Collection[Kind]) -> list[int]:
        searched.append(name)
        return real(self, name, kinds)

    monkeypatch.setattr(Btf, "find_flavors", counting)
    local, kernel = Types(), Types()
    roots = [local.struct("s", ("x", INT, 0)), local.struct("s___old", ("x", INT, 0))]
    roots.append(local.struct("gone", ("x", INT, 0)))
    kernel.struct("s", ("x", INT, 8))
    target, ours = CoreTarget(kernel.btf()), local.btf()
    for root in roots * 3:
        resolve(ours, CoreRelo(0, root, "0:0", OFFSET), target)
    assert searched == ["s", "gone"]


def test_the_same_access_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another place it is the same answer; of another access, kind or object it is not."""
    local, other, kernel = Types(), Types(), Types()
    root = local.struct("s", ("x", INT, 0), ("y", INT, 32))
    other.struct("s", ("y", INT, 0))
    kernel.struct("s", ("y", INT, 64), ("x", INT, 96))
    target, ours, theirs = CoreTarget(kernel.btf()), local.btf(), other.btf()
    asked: list[str] = []
    monkeypatch.setattr(target.candidates, "of", _noting(target.candidates.of, asked))
    relos = [(ours, "0:0", OFFSET), (ours, "0:1", OFFSET), (ours, "0:0", EXISTS)]
    relos = [*relos, (theirs, "0:0", OFFSET)] * 2
    found = [
        resolve(btf, CoreRelo(8 * at, root, access, kind), target).value
        for at, (btf, access, kind) in enumerate(relos)
    ]
    assert found == [96, 64, 1, 64] * 2
    assert len(asked) == 4


def _noting(
    real: Callable[[Btf, int], tuple[int, ...]], asked: list[str]
) -> Callable[[Btf, int], tuple[int, ...]]:
    def noting(local: Btf, local_id: int) -> tuple[int, ...]:
        asked.append(local.name(local_id))
        return real(local, local_id)

    return noting
