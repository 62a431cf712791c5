"""What the running kernel's own type information says of bpf(2)."""

from __future__ import annotations

from bpfctl.btf.types import Enum, Kind

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.decode import Btf

# Members that moved into a struct of their own, at the same place: the older name will do.
_MOVED: Final = {"link_create.tracing.target_btf_id": "link_create.target_btf_id"}


def values_of(btf: Btf | None, name: str) -> dict[int, str] | None:
    """Return an enumeration's values with their names; None where nothing tells.

    The count at the end of each ("__MAX_BPF_CMD") is left out.
    """
    found = btf.find(name, Kind.ENUM) if btf else None
    kind = btf.type(found) if btf and found is not None else None
    if not isinstance(kind, Enum):
        return None
    return {one.value: one.name for one in kind.values if not one.name.startswith("__MAX")}


def knows_field(btf: Btf, path: str) -> bool | None:
    """Say whether union bpf_attr has a field ("link_create.tcx.expected_revision").

    None where there is no such union.
    """
    union = btf.find("bpf_attr", Kind.UNION)
    if union is None:
        return None
    return _has(btf, union, path) or (path in _MOVED and _has(btf, union, _MOVED[path]))


def _has(btf: Btf, type_id: int, path: str) -> bool:
    for name in path.split("."):
        member = btf.member(type_id, name)
        if member is None:
            return False
        type_id = btf.skip_modifiers(member.type_id)
    return True
