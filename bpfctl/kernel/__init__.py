"""Talks to the kernel and gives BPF no meaning."""
