"""The types of an ELF file, in a file of their own."""

from __future__ import annotations

from bpfctl.errors import UsageError

from .binary import write_file
from .clean import clean
from .output import say, write_done

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .context import Context


def extract(out: Context, words: Sequence[str], base: str | None) -> None:
    """Write the types of `FILE OUTPUT`, put on those of a base if one is named.

    Raises: UsageError, PathError, ObjectFileError, BtfError.
    """
    from bpfctl.btf.layout import check_strings, parse_header
    from bpfctl.objects.btf_source import btf_of_file, stored_btf

    from .btf_words import read_base

    if len(words) != 2:
        raise UsageError("expected FILE and OUTPUT: from where, and where to")
    path, target = words
    if base is not None:
        data = btf_of_file(path, read_base(base)).data
    else:
        data, own_base = stored_btf(path)
        check_strings(data, parse_header(data, path), path, split=True)
        if own_base is not None:
            say(
                f"{clean(path)}: its types are based on those of its section .BTF.base, which are"
                " not written: --base-btf puts them on a kernel's own"
            )
    write_file(target, data)
    write_done(out)
