"""Tags of functions: who handles exceptions."""

from __future__ import annotations

import pytest

from bpfctl.btf import types as t
from bpfctl.btf.decode import Btf
from bpfctl.btf.encode import BtfBuilder
from bpfctl.elf.decl_tags import exception_callbacks, function_tags
from bpfctl.elf.elf_file import STB_LOCAL, STV_HIDDEN, Section, Symbol
from bpfctl.elf.functions import Function
from bpfctl.errors import ObjectFileError

TEXT = Section(1, ".text", 1, 6, 64, 0, 0, memoryview(bytes(64)))
TC = Section(2, "tc", 1, 6, 64, 0, 0, memoryview(bytes(64)))
GLOBAL = 1


def function(name: str, section: Section = TEXT, bind: int = GLOBAL, seen: int = 0) -> Function:
    return Function(f"{section.name}:{name}", section, Symbol(name, 0, 8, 1, 2, bind, seen), 0, 8)


FUNCTIONS = [
    function("main", TC),
    function("handler"),
    function("static_one", bind=STB_LOCAL),
    function("hidden_one", seen=STV_HIDDEN),
]


def tags(*more: t.DeclTag) -> Btf:
    builder = BtfBuilder()
    builder.add(t.FuncProto(1, "", 0, ()))
    builder.add(t.Func(2, "main", 1, t.FuncLinkage.GLOBAL))
    builder.add(t.Typedef(3, "alias", 1))
    for tag in more:
        builder.add(tag)
    return Btf.parse(builder.build())


def wants(callback: str, target: int = 2, argument: int = -1) -> t.DeclTag:
    return t.DeclTag(4, f"exception_callback:{callback}", target, argument)


@pytest.mark.parametrize(
    ("btf", "found"),
    [
        pytest.param(None, {}, id="no types"),
        pytest.param(tags(), {}, id="no tags"),
        pytest.param(tags(wants("handler")), {2: ".text:handler"}, id="one"),
        pytest.param(tags(wants("handler"), wants("handler")), {}, id="several"),
        pytest.param(tags(t.DeclTag(4, "kfunc", 2, -1)), {}, id="another tag"),
        pytest.param(tags(wants("handler", argument=0)), {}, id="of an argument"),
        pytest.param(tags(wants("handler", target=3)), {}, id="of no function"),
    ],
)
def test_callbacks(btf: Btf | None, found: dict[int, str]) -> None:
    assert exception_callbacks(btf, FUNCTIONS) == found


@pytest.mark.parametrize("name", ["static_one", "hidden_one", "main", "gone", ""])
def test_callbacks_the_kernel_could_not_find(name: str) -> None:
    with pytest.raises(ObjectFileError) as raised:
        exception_callbacks(tags(wants(name)), FUNCTIONS)
    assert raised.value.message == (
        f"main wants {name or 'nothing'} to handle its exceptions, "
        "which is no visible function of the object"
    )
    assert raised.value.section == ".BTF"


def test_tags_of_functions_only() -> None:
    btf = tags(t.DeclTag(4, "one", 2, 0), t.DeclTag(5, "two", 3, -1))
    assert [tag.name for tag in function_tags(btf)] == ["one"]
