"""What kernels learned to read in type information, and when."""

from __future__ import annotations

from bpfctl.errors import UsageError
from bpfctl.plain_typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

OLDEST: Final = (5, 0)  # before it, not even bit-fields are as they are today


class Feature(NamedTuple):
    """What a kernel may lack: the first version that has it, and where that is from."""

    version: tuple[int, int]
    source: str


HISTORY: Final = {
    "func": Feature(
        (5, 0), 'commit 2667a2626f4d ("bpf: btf: Add BTF_KIND_FUNC and BTF_KIND_FUNC_PROTO")'
    ),
    "datasec": Feature(
        (5, 2), 'commit 1dc92851849c ("bpf: kernel side support for BTF Var and DataSec")'
    ),
    "func_global": Feature(
        (5, 6), 'commit 51c39bb1d5d1 ("bpf: Introduce function-by-function verification")'
    ),
    # Sections without variables.
    "empty_datasec": Feature((5, 12), "commit 13ca51d5eb35"),
    "float": Feature((5, 13), 'commit b1828f0b0482 ("bpf: Add BTF_KIND_FLOAT support")'),
    "decl_tag": Feature(
        (5, 16), 'commit b5ea834dde6b ("bpf: Support for new btf kind BTF_KIND_TAG")'
    ),
    "type_tag": Feature((5, 17), "commit 8c42d2fa4eea (BTF_KIND_TYPE_TAG)"),
    # With it comes the sign of an enumeration.
    "enum64": Feature((6, 0), 'commit 6089fb325cf7 ("bpf: Add btf enum64 support")'),
    # Names of 128 bytes and more: KSYM_NAME_LEN limits them (__btf_name_valid, kernel/bpf/btf.c).
    "long_names": Feature(
        (6, 1), 'commit b8a94bfb3395 ("kallsyms: increase maximum kernel symbol length to 512")'
    ),
    # Names of sections that begin with "?".
    "qmark_datasec": Feature((6, 9), "btf_name_valid_section() in kernel/bpf/btf.c"),
    # Tags that are other attributes than btf_type_tag and btf_decl_tag.
    "tag_attributes": Feature(
        (6, 15), 'commit 53ee0d66d7a6 ("bpf: Allow kind_flag for BTF type and decl tags")'
    ),
    # The header's fields for the layout section.
    "layout": Feature((7, 1), "struct btf_layout in include/uapi/linux/btf.h"),
}


def missing_before(text: str) -> frozenset[str]:
    """What a kernel of that version ("5.4") lacks, as keys of HISTORY.

    Raises: UsageError for what is no version, and for those before OLDEST.
    """
    parts = text.split(".")
    if len(parts) != len(OLDEST) or not all(one.isascii() and one.isdigit() for one in parts):
        raise UsageError(f'"{text}" is no version: expected one such as 5.4')
    version = (int(parts[0]), int(parts[1]))
    if version < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UsageError(f"types are written for Linux {oldest} and later, not for {text}")
    return frozenset(name for name, one in HISTORY.items() if version < one.version)
