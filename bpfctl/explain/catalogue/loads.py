"""Failures of loads and attachments that an object and a kernel cause together."""

from __future__ import annotations

from bpfctl.explain.catalogue.entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ENTRIES: Final = (
    Entry(
        "core-relocation-unresolved",
        "nothing in this kernel fits what the program reads",
        "A program that is compiled once runs on many kernels because accesses to the kernel's"
        " structs are looked up again when it is loaded (CO-RE). This kernel has no such struct,"
        " member or value, so that the instruction was replaced by one the verifier refuses: the"
        " program would have been loaded if no way through it came there.",
        "The access was matched against all types of the running kernel that have the name,"
        " flavours (`task_struct___old`) too, and none fits; the evidence says why not.",
        "Correct the name, or ask first whether it is there: `bpf_core_field_exists()`,"
        " `bpf_core_type_exists()`, `bpf_core_enum_value_exists()`; a flavour of the struct with"
        " the older member is for kernels that have that.",
        "Kernels that show their types, which CONFIG_DEBUG_INFO_BTF makes since Linux 5.2.",
    ),
    Entry(
        "externs-unresolved",
        "things that the object expects outside of itself are not there",
        "An object can refer to options of the kernel's configuration (`__kconfig`), to variables"
        " and functions of the kernel (`__ksym`), and have them filled in when it is loaded. What"
        " is declared weak may be missing and is 0 then; here something that is not weak is.",
        "Options are looked up in /proc/config.gz or /boot, variables and functions in the types"
        " of the kernel and its loaded modules and in /proc/kallsyms. All that are missing are"
        " listed at once, with similar names.",
        "Load the module or use a kernel that was built with the option that is named; or declare"
        " it `__weak` and ask for it (`bpf_ksym_exists()`).",
        "Options are filled in by bpfctl; typed variables need Linux 5.10, kernel functions 5.13,"
        " those of modules 5.16.",
    ),
    Entry(
        "pinned-map-mismatch",
        "a map that is not like that of the object is pinned under its name",
        "Maps that are pinned by name are opened if they are there, so that several programs share"
        " one. The map that was found has another type, size or flag than the object says, and"
        " the program would misread it.",
        "The facts of the pinned map that the kernel tells are compared with the object's, one by"
        " one; all that differ are in the evidence. The flag that the kernel itself sets for"
        " maps of devices, and sizes that it rounds up, are no difference.",
        "If nothing needs the old map, remove its pin; else change the object, or pin to another"
        " place (`pinmaps`). `--set-max-entries MAP=N` adapts a size.",
        "All kernels.",
    ),
    Entry(
        "link-kind-unsupported",
        "this kernel has no links of that kind",
        "A link holds a program at its target until the last who holds the link lets go, and can"
        " be pinned. Kinds of links came one by one; before, such programs were attached by"
        " other means, which end with the process or are undone by hand.",
        "A link of that kind to a target that cannot be was asked for: a kernel that knows the"
        " kind complains of the target, this one of the request.",
        "Use the kernel that the message names, or `--hold` where it is offered: the program stays"
        " attached as long as bpfctl runs.",
        "perf_event 5.15, kprobe_multi 5.18, netfilter 6.4, tcx and uprobe_multi 6.6, netkit 6.7,"
        " sockmap 6.10, tracing_multi 7.2.",
    ),
    Entry(
        "cookie-unsupported",
        "this kernel keeps no cookie for such a program",
        "A cookie is a number that is given when a program is attached and that it asks for with"
        " bpf_get_attach_cookie(): one program then tells its targets apart. Some kernels have it"
        " for probes only, and take one for other programs and forget it.",
        "The kernel's own types do not have the member that would keep it.",
        "Leave the cookie out, attach a program for each target, or use the kernel that the message"
        " names.",
        "Perf events 5.15, kprobe.multi 5.18, fentry, fexit and LSM 5.19, raw tracepoints and"
        " tp_btf 6.10.",
    ),
    Entry(
        "order-unsupported",
        "this kernel has no order of the programs in a cgroup",
        "Programs that are attached to one cgroup run one after the other. Which comes first can"
        " be said when one is attached (before or after another, or first) on recent kernels; older"
        " ones run them in the order in which they were attached.",
        "The kernel's own struct cgroup_bpf does not count revisions of its list, which came with"
        " the order.",
        "Attach the programs in the order in which they are to run.",
        "cgroups 6.17. tcx and netkit have had an order from their beginning.",
    ),
    Entry(
        "attach-program-type",
        "programs of that type cannot be attached there",
        "Each kind of target takes programs of one type or a few: an interface those of xdp or tc,"
        " a tracepoint those of tracepoint. The type comes from the section of the program.",
        "The kernel told the type of the loaded program; the table of types that the target takes"
        " is that of the kernel (attach_type_to_prog_type, kernel/bpf/syscall.c).",
        "Give the program the section for that target (`bpfctl help sections`), or attach it"
        " where programs of its type go.",
        "All kernels.",
    ),
)
