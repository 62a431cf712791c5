"""Write what an iterator prints: its bytes to a file or pipe, clean text to a terminal."""

from __future__ import annotations

import codecs

from .clean import clean_lines
from .output import standard_output, write_json, write_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .context import Context


def write_output(out: Context, chunks: Iterable[bytes]) -> None:
    """Write the chunks as they come; JSON is one object with the whole text.

    A program may print anything: no control character reaches a terminal.
    """
    if out.json:
        text = b"".join(chunks).decode("utf-8", "surrogateescape")
        write_json(out, {"output": text})
    elif standard_output().isatty():
        decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        for chunk in chunks:
            write_text(clean_lines(decode(chunk)))
        write_text(clean_lines(decode(b"", final=True)))  # a character that was cut off
    else:
        for chunk in chunks:
            _write_bytes(chunk)


def _write_bytes(chunk: bytes) -> None:
    out = standard_output()
    if hasattr(out, "buffer"):
        out.flush()
        out.buffer.write(chunk)
    else:  # a test's stand-in takes text only
        write_text(chunk.decode("utf-8", "surrogateescape"))
