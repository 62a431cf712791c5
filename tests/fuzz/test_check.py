"""Broken objects end in our error or in a report, on any kernel."""

from __future__ import annotations

import time
from contextlib import suppress

from hypothesis import HealthCheck, given, settings

from bpfctl.check.check import check, subject_of
from bpfctl.check.kernels import Target, kernels_at
from bpfctl.check.requires import requirements
from bpfctl.elf.reader import parse_object
from bpfctl.errors import BpfctlError
from tests.builders.btf import DATA
from tests.fuzz.test_elf import flipped
from tests.unit.check.given import kernel_btf, target

SECONDS = 10
FUNCTIONS = ("bpf_iter_task", "bpf_thing")


def kernels() -> list[Target]:
    """One that lists all numbers, and one that has a few functions."""
    return [*kernels_at(str(DATA / "uapi-7.3.btf")), target(kernel_btf(FUNCTIONS))]


KERNELS = kernels()
few = settings(deadline=None, max_examples=80, suppress_health_check=list(HealthCheck))


@few
@given(flipped())
def test_broken_objects(data: bytes) -> None:
    started = time.monotonic()
    with suppress(BpfctlError):
        subject = subject_of(parse_object(data, "fuzz.bpf.o"))
        for one in KERNELS:
            assert check(subject, one).path == "fuzz.bpf.o"
        assert requirements(subject).path == "fuzz.bpf.o"
    assert time.monotonic() - started < SECONDS
