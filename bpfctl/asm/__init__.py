"""BPF instructions: encode, decode, control flow. Pure."""
