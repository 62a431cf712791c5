"""BPF objects that ship with bpfctl."""
