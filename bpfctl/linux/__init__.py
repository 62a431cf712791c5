"""Reads what /proc and /sys say."""
