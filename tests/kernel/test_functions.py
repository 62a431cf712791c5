"""Functions of programs: callbacks for exceptions, tags of arguments, hidden and weak ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.elf.reader import parse_object, read_object
from bpfctl.kernel.attr import prog_test_run
from bpfctl.kernel.bpf import bpf
from bpfctl.loader.pipeline import load
from tests.builders.jump_table import GREATER, LESSER, with_jump_table
from tests.kernel import needs

if TYPE_CHECKING:
    from pathlib import Path

    from bpfctl.loader.loaded import LoadedProgram

PACKET = bytes(64)


def verdict(program: LoadedProgram) -> int:
    """Run a program of a network device on an empty packet, and return what it returned."""
    run = prog_test_run(program.fd, data_in=PACKET)
    bpf(run)
    return run.retval


@needs.EXCEPTIONS
def test_an_exception_ends_in_its_callback(data: Path) -> None:
    with load(read_object(str(data / "exceptions.bpf.o"))) as loaded:
        found = {name: verdict(one) for name, one in loaded.programs.items()}
    assert found == {"thrower": 2 * 20 + 1, "quiet": 2 * 1 + 1}


def test_a_context_is_one_by_its_tag_on_every_kernel(data: Path) -> None:
    """Linux 6.8 knows the tag; older ones know a context by the name of its type."""
    with load(read_object(str(data / "arg_tags.bpf.o"))) as loaded:
        assert verdict(loaded.programs["packet_length"]) == 2 * len(PACKET) + 1


@pytest.mark.parametrize("name", ["caller", "summer"])
@needs.CALLBACKS
def test_functions_of_all_kinds_load(name: str, data: Path) -> None:
    with load(read_object(str(data / "subprogs.bpf.o"))) as loaded:
        assert name in loaded.programs


@needs.INSN_ARRAY
@pytest.mark.parametrize(("length", "found"), [(64, LESSER), (65, GREATER)])
def test_a_jump_table_leads_to_its_places(length: int, found: int) -> None:
    with load(parse_object(with_jump_table(), "choose.bpf.o")) as loaded:
        run = prog_test_run(loaded.programs["main"].fd, data_in=bytes(length))
        bpf(run)
    assert run.retval == found
