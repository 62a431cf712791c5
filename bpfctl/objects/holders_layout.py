"""Where the running kernel keeps what the search for holders reads."""

from __future__ import annotations

from bpfctl.btf.types import Kind, Ptr
from bpfctl.errors import NotSupportedError
from bpfctl.objects.ids import ObjectKind
from bpfctl.plain import plain
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from bpfctl.btf.decode import Btf

ITERATOR: Final = "bpf_iter_task_file"


@plain
class Layout:
    """Where the program finds what it reads: byte offsets in the kernel's own structures.

    `context` has those of the iterator's arguments. `ids` says for each kind how its id is reached
    from a file's private data: offsets to follow, of which the last is the id's own.
    """

    function_id: int
    context: dict[str, int]
    meta_seq: int
    tgid: int
    group_leader: int
    comm: int
    private_data: int
    inode: int
    superblock: int
    magic: int
    dentry: int
    name: int
    ids: dict[ObjectKind, tuple[int, ...]]


def find_layout(btf: Btf) -> Layout:
    """Look the places up in a kernel's type information.

    Structures are reached through others where possible: following ids costs nothing, while the
    look-up of a name takes 5 ms, and of one that ends many other names ("btf", "bpf_map") 20 ms.
    Raises: NotSupportedError where something is missing, BtfError.
    """
    function_id = btf.find(ITERATOR, Kind.FUNC)
    if function_id is None:
        raise NotSupportedError("iterators over open files", "5.8")
    arguments = _arguments(btf, function_id)
    task, file = _Place(btf, arguments["task"][1]), _Place(btf, arguments["file"][1])
    return Layout(
        function_id,
        context={name: offset for name, (offset, _) in arguments.items()},
        meta_seq=_Place(btf, arguments["meta"][1]).at("seq").offset,
        tgid=task.at("tgid").offset,
        group_leader=task.at("group_leader").offset,
        comm=task.at("comm").offset,
        private_data=file.at("private_data").offset,
        inode=file.at("f_inode").offset,
        superblock=file.at("f_inode").behind().at("i_sb").offset,
        magic=file.at("f_inode").behind().at("i_sb").behind().at("s_magic").offset,
        dentry=file.at("f_path").at("dentry").offset,
        name=file.at("f_path").at("dentry").behind().at("d_name").at("name").offset,
        ids=_ids(btf),
    )


def _arguments(btf: Btf, function_id: int) -> dict[str, tuple[int, int]]:
    """Return offset and type of what the iterator passes: 8 bytes each in the context.

    A pointer is given by the type it points to.
    """
    found = {}
    for index, param in enumerate(btf.func_proto(function_id).params):
        target = btf.type(btf.skip_modifiers(param.type_id))
        type_id = target.type_id if isinstance(target, Ptr) else param.type_id
        found[param.name] = (8 * index, type_id)
    if not found.keys() >= {"meta", "task", "fd", "file"}:
        raise NotSupportedError("iterators over open files as we know them")
    return found


def _ids(btf: Btf) -> dict[ObjectKind, tuple[int, ...]]:
    aux, primer = _struct(btf, "bpf_prog_aux"), _struct(btf, "bpf_link_primer")
    return {
        ObjectKind.PROG: (aux.at("prog").behind().at("aux").offset, aux.at("id").offset),
        ObjectKind.MAP: (aux.at("used_maps").behind().behind().at("id").offset,),
        ObjectKind.LINK: (primer.at("link").behind().at("id").offset,),
        ObjectKind.BTF: (aux.at("btf").behind().at("id").offset,),
    }


def _struct(btf: Btf, name: str) -> _Place:
    type_id = btf.find(name, Kind.STRUCT)
    if type_id is None:
        raise NotSupportedError(f"iterators that see struct {name}")
    return _Place(btf, type_id)


class _Place(NamedTuple):
    """A spot in a structure: what is there, and how many bytes it is from the beginning."""

    btf: Btf
    type_id: int
    offset: int = 0

    def at(self, name: str) -> _Place:
        """Go on to a member. Raises: NotSupportedError."""
        member = self.btf.member(self.type_id, name)
        if member is None:
            raise NotSupportedError(f"{self.btf.type_name(self.type_id)} with a member {name}")
        return _Place(self.btf, member.type_id, self.offset + member.offset_bits // 8)

    def behind(self) -> _Place:
        """Begin anew in what the pointer here points to. Raises: NotSupportedError."""
        found = self.btf.type(self.btf.skip_modifiers(self.type_id))
        if not isinstance(found, Ptr):
            raise NotSupportedError(f"{self.btf.type_name(self.type_id)} as a pointer")
        return _Place(self.btf, found.type_id)
