"""Types as an older kernel reads them, in a file."""

from __future__ import annotations

from bpfctl.errors import UsageError

from .binary import write_file
from .output import write_json, write_text
from .selectors import expect_end

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from .context import Context


def downgrade(out: Context, words: Sequence[str], base: str | None, version: str | None) -> None:
    """Write the types of `SOURCE OUTPUT`, and say what had to be replaced.

    Raises: UsageError, PathError, and what reading types raises.
    """
    from bpfctl.btf.history import missing_before
    from bpfctl.btf.sanitize import sanitized

    from .btf_words import take_source

    if version is None:
        raise UsageError("for which kernel? expected --to VERSION")
    missing = missing_before(version)
    source, rest = take_source(words, base)
    if not rest:
        raise UsageError("expected SOURCE and OUTPUT: which types, and where to write them")
    target, *rest = rest
    expect_end(rest)
    done = sanitized(source.btf, missing)
    write_file(target, done.data)
    count = len(source.btf) - source.btf.first_id
    if out.json:
        write_json(out, {"to": version, "types": count, "replaced": done.replaced})
    else:
        listed = ", ".join(f"{number} {kind}" for kind, number in sorted(done.replaced.items()))
        write_text(f"{count} types, replaced: {listed or 'none'}\n")
