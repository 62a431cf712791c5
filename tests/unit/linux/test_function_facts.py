"""What is read of one function of the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.linux.function_facts import function_facts, function_size, near_functions

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """\
ffffffff81000000 T plain
ffffffff81000010 t twice
ffffffff81000020 t twice\t[kvm]
ffffffff81000030 t cloned.isra.0
ffffffff81000040 t cloned.constprop.0.cold
ffffffff81000050 t lto.llvm.1234
ffffffff81000060 T __plainer
ffffffff81000070 T plaintive
"""


@pytest.mark.parametrize(
    ("name", "modules", "variants"),
    [
        pytest.param("plain", ("",), (), id="one"),
        pytest.param("twice", ("", "kvm"), (), id="two, one of them a module's"),
        pytest.param(
            "cloned", (), ("cloned.isra.0", "cloned.constprop.0.cold"), id="copies of a compiler's"
        ),
        pytest.param("lto", ("",), (), id="a suffix of link-time optimisation"),
        pytest.param("cloned.isra.0", ("",), (), id="a copy by its name"),
        pytest.param("pla.n", (), (), id="no regular expression"),
        pytest.param("none", (), (), id="none"),
    ],
)
def test_symbols(
    name: str, modules: tuple[str, ...], variants: tuple[str, ...], tmp_path: Path
) -> None:
    place = tmp_path / "kallsyms"
    place.write_text(TEXT)
    found = function_facts(name, str(place))
    assert (found.modules, found.variants) == (modules, variants)


def test_no_symbols(tmp_path: Path) -> None:
    place = str(tmp_path / "none")
    assert function_facts("plain", place).modules is None
    assert near_functions("plain", place) == []


@pytest.mark.parametrize(
    ("name", "near"),
    [
        pytest.param("plaintiv", ["plaintive"], id="many letters in common"),
        pytest.param("plixn", ["plain"], id="two letters in common"),
        pytest.param("xplain", [], id="none"),
    ],
)
def test_near(name: str, near: list[str], tmp_path: Path) -> None:
    place = tmp_path / "kallsyms"
    place.write_text(TEXT + "ffffffff81000080 T __pfx_plain\n")
    assert near_functions(name, str(place)) == near


@pytest.mark.parametrize(
    ("name", "size"), [("plain", 16), ("lto.llvm.1234", 16), ("plaintive", None), ("none", None)]
)
def test_size(name: str, size: int | None, tmp_path: Path) -> None:
    place = tmp_path / "kallsyms"
    place.write_text(TEXT)
    assert function_size(name, str(place)) == size
    assert function_size(name, str(tmp_path / "none")) is None


def test_hidden_addresses_tell_no_size(tmp_path: Path) -> None:
    place = tmp_path / "kallsyms"
    place.write_text("0000000000000000 T plain\n0000000000000000 T other\n")
    assert function_size("plain", str(place)) is None
