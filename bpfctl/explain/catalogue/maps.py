"""Maps that the kernel does not make."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_REPEATED: Final = (
    "It repeats the request for a small map of its own: as it was, which fails in the same way, and"
    " with that one thing changed, which works. The maps are let go at once."
)
_WORDS: Final = "Any kernel; from Linux 7.2 on the kernel's own words are quoted where it has any."

ENTRIES: Final = (
    Entry(
        "map-without-size",
        "max_entries of the map is 0",
        "Every map but those that store data with sockets, tasks, inodes or cgroups needs to know"
        " how many entries it may have. Objects often leave that open, for the loader to set.",
        _REPEATED,
        "Set it in the definition (`__uint(max_entries, N)`), or when loading:"
        " `--set-max-entries MAP=N`.",
        _WORDS,
    ),
    Entry(
        "map-size-not-zero",
        "max_entries is set for a map that has no size",
        "Storage of sockets, tasks, inodes and cgroups lives as long as its owners, one entry each:"
        " the kernel wants max_entries to be 0.",
        _REPEATED,
        "Leave max_entries out of the definition.",
        _WORDS,
    ),
    Entry(
        "map-ring-size",
        "the size of a ring buffer is no power of two of whole pages",
        "max_entries of a ring buffer is its size in bytes. The kernel maps it twice in a row and"
        " takes positions modulo its size, so it must be a multiple of the page size and a power of"
        " two.",
        _REPEATED,
        "Take the size that is named. Objects that bpfctl loads are rounded up by itself.",
        "Ring buffers are there since Linux 5.8, those of user space since 6.1.",
    ),
    Entry(
        "map-key-size-refused",
        "the size of the key does not fit the type of the map",
        "Keys of arrays and of maps of devices, CPUs, sockets or programs are an index of 4 bytes;"
        " keys of storage are a descriptor of 4 bytes; queues, stacks, bloom filters, ring buffers"
        " and arenas have no keys; the key of an LPM trie is a prefix length of 4 bytes and 1 to"
        " 256 bytes of data.",
        _REPEATED,
        "Change `key` or `key_size` in the definition to what the remedy says.",
        _WORDS,
    ),
    Entry(
        "map-value-size-refused",
        "the size of the value does not fit the type of the map",
        "Values of program arrays, perf event arrays and maps of maps are a descriptor of 4 bytes;"
        " those of maps of devices, CPUs and sockets have 4 or 8 bytes; ring buffers and arenas"
        " have none. Values of other maps must not be empty, and not larger than what the kernel"
        " takes in one piece: some MiB, and 32 KiB for each CPU in per-CPU maps.",
        _REPEATED,
        "Change `value` or `value_size` in the definition. Put large values into an array of"
        " smaller ones, or into an mmapable array.",
        _WORDS,
    ),
    Entry(
        "map-no-prealloc-missing",
        "the map needs the flag BPF_F_NO_PREALLOC",
        "LPM tries, storage of sockets, tasks, inodes and cgroups, and resizable hashes cannot take"
        " their memory when they are made. The kernel wants the definition to say so.",
        _REPEATED,
        "Add `__uint(map_flags, BPF_F_NO_PREALLOC)` to the definition.",
        _WORDS,
    ),
    Entry(
        "map-mmapable-missing",
        "the map needs the flag BPF_F_MMAPABLE",
        "An arena is memory that programs share with user space, which maps it.",
        _REPEATED,
        "Add `__uint(map_flags, BPF_F_MMAPABLE)` to the definition.",
        "Arenas are there since Linux 6.9.",
    ),
    Entry(
        "map-numa-node",
        "the map is to be on a NUMA node that is not online",
        "`numa_node` names the node of the machine whose memory the map takes. A machine has only"
        " those in /sys/devices/system/node/online.",
        "The node is not in that list. " + _REPEATED,
        "Leave `numa_node` out, or name a node that is online.",
        "`numa_node` is there since Linux 4.14.",
    ),
    Entry(
        "map-extra-refused",
        "the type of the map takes no map_extra, or not this one",
        "`map_extra` is the number of hash functions of a bloom filter (up to 15), and the address"
        " of an arena; other types take none.",
        _REPEATED,
        "Leave `map_extra` out of the definition, or choose another number.",
        "`map_extra` is there since Linux 5.16.",
    ),
    Entry(
        "map-flag-refused",
        "the type of the map, or this kernel, does not take a flag",
        "Each type of map takes some of the flags BPF_F_*, and newer kernels take more of them."
        " The kernel refuses the whole request for one that it does not take.",
        _REPEATED,
        "Leave the flag out of `map_flags`, take a type that has it, or a newer kernel.",
        _WORDS,
    ),
    Entry(
        "map-too-large",
        "the map would be larger than the kernel or the memory allows",
        "The memory of arrays, and of hashes without BPF_F_NO_PREALLOC, is taken when the map is"
        " made. ENOMEM means that there is not as much; E2BIG that the product of the sizes is"
        " more than the kernel takes for one map.",
        "It makes the same map with 64 entries (a ring buffer: of one page), which works.",
        "Ask for fewer entries (`--set-max-entries MAP=N`) or smaller values; for a hash,"
        " BPF_F_NO_PREALLOC takes memory only for entries that are there.",
        "Any kernel. Before Linux 5.11 the limit of locked memory counts too, which is raised.",
    ),
)
