"""A kernel that shows no types: the cause is in its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bpfctl.linux.kconfig import KernelConfig
from bpfctl.objects import btf_absent
from bpfctl.objects.btf_absent import no_kernel_btf

if TYPE_CHECKING:
    from pathlib import Path

UNSUPPORTED = "this kernel does not support type information of its own (since Linux 5.4)"
HIDDEN = "the kernel's type information is hidden from this process"


@pytest.mark.parametrize(
    ("config", "message", "evidence", "candidates"),
    [
        pytest.param(
            KernelConfig("/boot/config", {}),
            UNSUPPORTED,
            ["there is no /x", "/boot/config says CONFIG_DEBUG_INFO_BTF is not set"],
            [],
            id="built without",
        ),
        pytest.param(
            KernelConfig("/boot/config", {"CONFIG_DEBUG_INFO_BTF": "y"}),
            HIDDEN,
            [
                "there is no /x",
                "/boot/config says CONFIG_DEBUG_INFO_BTF=y: something hides the file",
            ],
            [],
            id="hidden",
        ),
        pytest.param(
            None,
            UNSUPPORTED,
            ["there is no /x"],
            ["the kernel was built without CONFIG_DEBUG_INFO_BTF"],
            id="nobody knows",
        ),
    ],
)
def test_the_cause(
    config: KernelConfig | None,
    message: str,
    evidence: list[str],
    candidates: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(btf_absent, "kernel_config", lambda: config)
    err = no_kernel_btf("/x")
    assert (err.code, err.message) == ("kernel-btf-missing", message)
    assert (err.evidence, err.candidates) == (evidence, candidates)


def test_a_kernel_image_that_types_can_be_made_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = tmp_path / "vmlinux-6.1"
    image.touch()
    monkeypatch.setattr(
        btf_absent, "_IMAGES", (f"{tmp_path}/none-{{}}", f"{tmp_path}/vmlinux-{{}}")
    )
    monkeypatch.setattr(btf_absent, "kernel_release", lambda: "6.1")
    command = f"--kernel-btf FILE will do: pahole --btf_encode_detached=FILE {image}"
    assert (no_kernel_btf("/x").remedy or "").endswith(command)
