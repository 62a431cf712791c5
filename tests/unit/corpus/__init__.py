"""Tests of the harness that boots other kernels; none of them boots one."""
