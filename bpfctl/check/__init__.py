"""Will an object run on a kernel: told from its types, without loading anything."""
