"""Load, attach, pin, inspect and explain BPF objects on Linux."""

__version__ = "0.1.0"
