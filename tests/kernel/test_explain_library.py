"""Users of the library get the same causes, on the exception that their call raises."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, cast

import pytest

from bpfctl.api import Object, open_object
from bpfctl.errors import NotSupportedError, PathError, SyscallError
from bpfctl.plain import replace

if TYPE_CHECKING:
    from pathlib import Path

    from bpfctl.kernel.uapi import MapType


def test_a_load(data: Path) -> None:
    spec = open_object(str(data / "legacy_maps.bpf.o")).spec
    unknown = replace(spec.maps[0], type=cast("MapType", 99))
    with pytest.raises(NotSupportedError) as caught:
        Object(replace(spec, maps=(unknown, *spec.maps[1:]))).load()
    error = caught.value
    assert (error.code, error.feature) == ("map-type-unsupported", "maps of type 99")
    assert isinstance(error.refusal, SyscallError)
    assert (error.refusal.errno, error.refusal.call) == (errno.EINVAL, "BPF_MAP_CREATE")


def test_a_pin(data: Path, tmp_path: Path) -> None:
    with open_object(str(data / "legacy_maps.bpf.o")).load() as one:
        program = next(iter(one.programs.values()))
        with pytest.raises(PathError) as caught:
            program.pin(str(tmp_path / "x"))
    assert caught.value.code == "not-bpffs"


def test_a_run_that_the_kernel_refuses(data: Path) -> None:
    with open_object(str(data / "legacy_maps.bpf.o")).load() as one:
        program = next(iter(one.programs.values()))
        with pytest.raises(SyscallError) as caught:
            program.run(b"data")  # raw tracepoints take none
    assert caught.value.explained
