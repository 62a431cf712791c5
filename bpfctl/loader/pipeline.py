"""From a blueprint to loaded objects: the steps of a load, one after the other.

What can be found out without the kernel comes first, so that an object we cannot load is refused
before anything is created. What a failed step leaves behind is removed. What few objects have is
imported for those that have it.
"""

from __future__ import annotations

import errno
import os

from bpfctl.elf.section_def import AttachKind
from bpfctl.errors import BpfctlError, PathError, SyscallError, VerifierError
from bpfctl.kernel.attr_prog import prog_bind_map
from bpfctl.kernel.bpf import bpf
from bpfctl.loader.core import FittedCode
from bpfctl.loader.create_maps import create_maps
from bpfctl.loader.extern_result import Bound, Externs
from bpfctl.loader.fallbacks import Fallbacks
from bpfctl.loader.kernel_btf import KernelBtf
from bpfctl.loader.loaded import LoadedObject, LoadedProgram
from bpfctl.loader.options import LoadOptions
from bpfctl.loader.pins import PinSet
from bpfctl.loader.prepare import Prepared, locate_failure, prepare, request
from bpfctl.loader.program_target import Targets, refuse_idle_wishes
from bpfctl.loader.support import chosen_programs, refuse_unknown
from bpfctl.objects.btf import KERNEL_FILE
from bpfctl.plain_tools import ExitStack

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from bpfctl.elf.spec import ObjectSpec, ProgramSpec
    from bpfctl.linux.kconfig import KernelConfig
    from bpfctl.loader.struct_ops import Use
    from bpfctl.loader.verifier import ProgLoad

RODATA: Final = ".rodata"
_MOST_RACES: Final = 3  # each is lost to another load, which then is done


def load(
    spec: ObjectSpec, options: LoadOptions | None = None, kernel: KernelBtf | None = None
) -> LoadedObject:
    """Create the maps of an object and load its programs.

    The caller closes the result. Before Linux 5.11 a refusal may be the limit of locked memory's,
    which is then lifted for this process. `kernel` may share what it read with further loads.
    Raises: VerifierError and SyscallError when the kernel refuses something; NotYetError,
    RelocationError, NotFoundError and NotSupportedError before anything is created; PathError
    and OutputError for maps that are pinned by name.
    """
    options = options or LoadOptions()
    kernel = kernel or KernelBtf(KERNEL_FILE, options.kernel_btf)
    try:
        return _load(spec, options, kernel)
    except SyscallError as err:
        from bpfctl.linux.memlock import MemlockLimit

        limit = MemlockLimit()
        if not _may_be_the_limit(err) or not limit.lift():
            raise
    try:
        return _load(spec, options, kernel)
    except BaseException:
        limit.restore()  # it was not the limit
        raise


def _may_be_the_limit(err: SyscallError) -> bool:
    """Whether a refusal may come of the limit of locked memory.

    It is EPERM, but EINVAL for maps of devices (dev_map_init_map, kernel/bpf/devmap.c, Linux 5.10).
    """
    if err.errno == errno.EINVAL:
        return err.call == "BPF_MAP_CREATE"
    return err.errno == errno.EPERM and not isinstance(err, VerifierError)


def _load(spec: ObjectSpec, options: LoadOptions, kernel: KernelBtf) -> LoadedObject:
    """Load again when somebody else pinned a map that is shared by name meanwhile: it is there."""
    for _ in range(_MOST_RACES):
        try:
            return _load_once(spec, options, kernel)
        except PathError as err:
            if err.code != "pin-exists" or os.path.isdir(err.subject or ""):
                raise
    return _load_once(spec, options, kernel)


def _load_once(spec: ObjectSpec, options: LoadOptions, kernel: KernelBtf) -> LoadedObject:
    spec = _as_wished(spec, options)
    with ExitStack() as on_failure:
        loaded = on_failure.enter_context(LoadedObject(spec, pins=PinSet(mount=options.mount)))
        try:
            prepared, externs = _prepare(loaded, options, kernel)
            btf_fd = _load_types(loaded)
            hashes = _owners(spec, options, prepared, externs)
            create_maps(loaded, options, btf_fd, externs, hashes)
            descriptors = {name: entry.fd.fileno() for name, entry in loaded.maps.items()}
            bound = _bound(externs, loaded, descriptors)
            fallbacks = Fallbacks(spec, options, loaded.resources)
            for one in prepared:
                _link_jump_tables(loaded, one)
                asked = request(spec, one, bound, btf_fd, options)
                _load_one(loaded, one, asked, fallbacks, bound)
            _store_programs(loaded)
            _bind_read_only_data(loaded)
            _pin_named_maps(loaded, options)
        except BpfctlError as err:
            err.within(subject=spec.path)
            err.evidence += loaded.warnings
            err.undone = True
            raise
        on_failure.pop_all()
    return loaded


def _prepare(
    loaded: LoadedObject, options: LoadOptions, kernel: KernelBtf
) -> tuple[list[Prepared], Externs]:
    """Find out all that can be found out without creating anything."""
    spec = loaded.spec
    refuse_unknown(spec)
    programs: Sequence[ProgramSpec] = chosen_programs(spec, options)
    members: dict[str, Use] = {}
    if _has_struct_ops(spec):
        from bpfctl.loader.struct_ops import kernel_ops, uses, with_members

        loaded.struct_ops.update(kernel_ops(spec, kernel))
        programs = with_members(spec, loaded.struct_ops, programs, options)
        members = uses(spec, loaded.struct_ops)
    if _has_values(spec):
        from bpfctl.loader.map_values import check_values, with_array_members

        programs = with_array_members(spec, programs, options.skip)
        check_values(spec)
    refuse_idle_wishes(options.targets, programs)
    fitted = FittedCode(spec.btf, kernel)
    targets = Targets(kernel, options.targets, loaded.resources, members)
    externs = Externs()
    if spec.externs:
        from bpfctl.loader.externs import resolve

        externs = resolve(spec, programs, kernel, lambda: _config(options))
    loaded.warnings.extend(externs.warnings)
    return [prepare(spec, program, fitted, targets) for program in programs], externs


def _as_wished(spec: ObjectSpec, options: LoadOptions) -> ObjectSpec:
    """The blueprint with the sizes and the values of variables that somebody chose."""
    if options.max_entries or options.reuse or options.offload:
        from bpfctl.loader.map_wishes import with_wishes

        spec = with_wishes(spec, options)
    if options.globals:
        from bpfctl.loader.globals import with_globals

        spec = with_globals(spec, options.globals, options.reuse)
    return spec


def _has_struct_ops(spec: ObjectSpec) -> bool:
    return any(one.struct_ops for one in spec.maps) or any(
        one.section.kind is AttachKind.STRUCT_OPS for one in spec.programs
    )


def _has_values(spec: ObjectSpec) -> bool:
    return any(one.values for one in spec.maps)


def _owners(
    spec: ObjectSpec, options: LoadOptions, prepared: list[Prepared], externs: Externs
) -> dict[str, bytes]:
    """The hashes of the programs that exclusive maps are for."""
    if not options.exclusive:
        return {}
    from bpfctl.loader.exclusive import owners

    return owners(spec, options.exclusive, prepared, externs)


def _bound(externs: Externs, loaded: LoadedObject, map_fds: dict[str, int]) -> Bound:
    """Open what the code of externs refers to."""
    if not externs.specs:
        return Bound(map_fds)
    from bpfctl.loader.extern_code import bind

    return bind(externs, loaded.spec, map_fds, loaded.resources)


def _link_jump_tables(loaded: LoadedObject, one: Prepared) -> None:
    if loaded.spec.jump_tables:
        from bpfctl.loader.jump_tables import link_jump_tables

        link_jump_tables(loaded.spec, one, loaded.resources)


def _store_programs(loaded: LoadedObject) -> None:
    if _has_values(loaded.spec):
        from bpfctl.loader.map_values import store_programs

        store_programs(loaded)


def _config(options: LoadOptions) -> KernelConfig | None:
    """The kernel's configuration: in the file somebody named, else where distributions keep it."""
    from bpfctl.linux.kconfig import kernel_config

    if options.kernel_config is None:
        return kernel_config()
    found = kernel_config([options.kernel_config])
    if found is None or not found.options:
        raise PathError("is no kernel configuration", subject=options.kernel_config)
    return found


def _load_types(loaded: LoadedObject) -> int:
    """Load the object's type information; 0 when it has none."""
    spec = loaded.spec
    if spec.btf is None:
        return 0
    from bpfctl.loader.btf import BTF_REJECTED, kernel_data, load_btf

    try:
        fd = load_btf(kernel_data(spec.btf, spec.functions.values()))
    except SyscallError as err:
        if err.code != BTF_REJECTED:
            raise
        words = err.evidence[-1] if err.evidence else err.errno_name
        loaded.warnings.append(f"the kernel refuses the object's types, which go without: {words}")
        return 0
    return loaded.resources.enter_context(fd).fileno()


def _load_one(
    loaded: LoadedObject, one: Prepared, asked: ProgLoad, fallbacks: Fallbacks, bound: Bound
) -> None:
    try:
        fd, log = fallbacks.load(one, asked)
    except BpfctlError as err:
        if isinstance(err, VerifierError):
            locate_failure(err, loaded.spec, one)
            from bpfctl.loader.externs import explain_extern

            explain_extern(err, one.linked, bound.externs)
        err.within(program=one.spec.name)
        raise
    loaded.resources.enter_context(fd)
    loaded.programs[one.spec.name] = LoadedProgram(one.spec, fd, log)


def _bind_read_only_data(loaded: LoadedObject) -> None:
    """Let each program own the constants of the object, which then live and are shown with it.

    Not so the values of .kconfig, as with libbpf. Only for those who look: a kernel that cannot
    (before Linux 5.10) is no reason to fail.
    """
    for entry in loaded.maps.values():
        if (entry.spec.section or "").startswith(RODATA):
            for program in loaded.programs.values():
                try:
                    bpf(prog_bind_map(program.fd, entry.fd))
                except SyscallError:
                    return


def _pin_named_maps(loaded: LoadedObject, options: LoadOptions) -> None:
    """Pin last, so that nobody sees maps of a load that fails."""
    for entry in loaded.maps.values():
        if entry.pinned and not entry.reused:
            if entry.spec.pin_path:
                from bpfctl.loader.map_pins import make_directories

                make_directories(loaded.pins, options.bpffs, entry.pinned)
            loaded.pins.pin(entry.fd, entry.pinned)
