"""Why the kernel shows no types, and where others come from. Only imported when it happens."""

from __future__ import annotations

from pathlib import Path

from bpfctl.errors import NotSupportedError
from bpfctl.linux.kconfig import kernel_config
from bpfctl.linux.version import kernel_release

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_OPTION: Final = "CONFIG_DEBUG_INFO_BTF"
# Where distributions' debug packages, and people who build kernels, leave a vmlinux with DWARF.
_IMAGES: Final = ("/usr/lib/debug/boot/vmlinux-{}", "/usr/lib/debug/lib/modules/{}/vmlinux",
                  "/lib/modules/{}/build/vmlinux", "/boot/vmlinux-{}")  # fmt: skip


def no_kernel_btf(path: str) -> NotSupportedError:
    """Make the error for a kernel that shows no types at `path`: the cause is in its config."""
    config = kernel_config()
    setting = config.get(_OPTION) if config else None
    evidence, remedy = [f"there is no {path}"], f"boot a kernel with {_OPTION}=y"
    if config and setting:
        evidence.append(f"{config.source} says {_OPTION}={setting}: something hides the file")
        remedy = "show this process the kernel's sysfs (mount -t sysfs sysfs /sys)"
    elif config:
        evidence.append(f"{config.source} says {_OPTION} is not set")
    error = NotSupportedError(
        "type information of its own",
        "5.4",
        code="kernel-btf-missing",
        evidence=evidence,
        candidates=[] if config else [f"the kernel was built without {_OPTION}"],
        remedy=f"{remedy}\nfor CO-RE alone, --kernel-btf FILE will do: {_sources()}",
    )
    if setting:
        error.message = "the kernel's type information is hidden from this process"
    return error


def _sources() -> str:
    """Say where a file of types could come from."""
    release = kernel_release()
    found = next((one for place in _IMAGES if Path(one := place.format(release)).exists()), None)
    if found:
        return f"pahole --btf_encode_detached=FILE {found}"
    return (
        "pahole --btf_encode_detached=FILE VMLINUX makes one from this kernel's vmlinux with debug "
        f"information (the distribution's debug package for {release}), and BTFHub has many"
    )
