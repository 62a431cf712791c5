"""From a spec and a kernel to loaded objects."""
