"""Probes: what this kernel can do; yes, no, or cannot tell."""
