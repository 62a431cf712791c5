"""BTF: parse, index, encode, CO-RE matching, values. Pure."""
