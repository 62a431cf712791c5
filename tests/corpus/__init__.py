"""The loader's judge: BPF objects nobody here wrote, loaded by bpfctl and by bpftool, compared.

`python -m tests.corpus prepare` fetches and compiles them into the cache of tests.vm, `run` loads
each with both and writes what came of it, `report` prints that as tables.
"""
