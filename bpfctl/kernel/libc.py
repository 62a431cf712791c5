"""The one place that opens the C library. Everything else asks here for `ffi` and `lib`."""

from __future__ import annotations

from typing import Any

from bpfctl.kernel._cffi import ffi as _ffi

# cffi's objects have no useful static types: what a cdata is depends on the declaration.
ffi: Any = _ffi
lib: Any = ffi.dlopen(None)
