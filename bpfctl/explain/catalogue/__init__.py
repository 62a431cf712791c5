"""Causes of failures, one entry a code: what it means, how bpfctl knows, and what to do."""
