"""Which of the kernel's types a type of the object may mean."""

from __future__ import annotations

from bpfctl.btf.core_compat import agreeing
from bpfctl.btf.core_names import describe, essential_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from bpfctl.btf.decode import Btf
    from bpfctl.btf.types import Kind, Type


class Candidates:
    """The types of one kernel that have the name and kind of a type of the object.

    Flavours do not count, on either side. Each name is searched for once.
    """

    def __init__(self, target: Btf) -> None:
        self._target = target
        self._found: dict[tuple[str, Kind], tuple[int, ...]] = {}
        self._left: dict[tuple[Btf, int], tuple[int, ...]] = {}

    def of(self, local: Btf, local_id: int) -> tuple[int, ...]:
        """Give the candidates for a type of the object; an anonymous one has none."""
        left = self._left.get((local, local_id))
        if left is None:
            ours = local.type(local_id)
            left = self._left[local, local_id] = self._named(essential_name(ours.name), ours.kind)
        return left

    def keep(self, local: Btf, local_id: int, matching: tuple[int, ...]) -> None:
        """Let only those that matched one access answer the object's further ones.

        So does libbpf (1.6): a kernel may have two structs of one name, and the members an object
        uses tell which it means.
        """
        if matching:
            self._left[local, local_id] = matching

    def word(self, type_ids: tuple[int, ...]) -> tuple[str, ...]:
        """Write candidates with their ids: "struct file [345]"."""
        return tuple(self.word_one(self._target.type(type_id)) for type_id in type_ids)

    @staticmethod
    def word_one(found: Type) -> str:
        """Write one candidate with its id."""
        return f"{describe(found)} [{found.id}]"

    def _named(self, name: str, kind: Kind) -> tuple[int, ...]:
        if not name:
            return ()
        known = self._found.get((name, kind))
        if known is None:
            target = self._target
            known = self._found[name, kind] = tuple(
                type_id
                for type_id in target.find_flavors(name, agreeing(kind))
                if essential_name(target.name(type_id)) == name
            )
        return known
