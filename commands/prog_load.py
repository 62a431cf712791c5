"""What `prog load` and `prog loadall` do: load, pin, and say what is where."""

from __future__ import annotations

from bpfctl.errors import BpfctlError, NotFoundError, UsageError
from bpfctl.plain import plain, replace

from .load_options import parse_log, parse_owners, parse_sizes, parse_targets
from .loading import load, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bpfctl.elf.spec import MapSpec, ObjectSpec
    from bpfctl.kernel.fd import Fd
    from bpfctl.loader.attachment import Attachment
    from bpfctl.loader.loaded import LoadedObject
    from bpfctl.loader.options import LoadOptions

    from .context import Context
    from .load_words import LoadWords


@plain
class LoadRequest:
    """What to load, how and where to pin it, and how much of the verifier's log is wanted.

    The lists hold the values of options, still to be read. `wants_links`: programs are attached to
    what their sections say, and their links pinned; `keep_going`: those that cannot be are not
    reason enough to give up. `interface` and `cgroup` are where programs for such are
    attached.
    """

    words: LoadWords
    only: list[str] | None = None
    skip: list[str] | None = None
    targets: list[str] | None = None
    globals: list[str] | None = None
    max_entries: list[str] | None = None
    exclusive: list[str] | None = None
    kernel_btf: str | None = None
    kernel_config: str | None = None
    log: str = "error"
    log_level: int = 0
    log_size: int | None = None
    log_fixed: bool = False
    wants_links: bool = False
    keep_going: bool = False
    interface: str | None = None
    cgroup: str | None = None

    @property
    def attach(self) -> bool:
        """Whether programs are to be attached: by an option, or by bpftool's word."""
        chosen = (self.interface, self.cgroup)
        return self.wants_links or self.words.attach or chosen != (None, None)

    def read(self, operation: str) -> ObjectSpec:
        """Read the object file."""
        return read(self.words.obj, operation, self.words.prog_type)

    def options(self, out: Context, spec: ObjectSpec) -> LoadOptions:
        """The loader's options for the object. Raises: UsageError, NotFoundError."""
        from bpfctl.loader.options import LoadOptions
        from bpfctl.objects.btf import KERNEL_FILE

        return LoadOptions(
            programs=frozenset(self.only or ()) or None,
            skip=frozenset(self.skip or ()),
            targets=parse_targets(self.targets or ()),
            max_entries=parse_sizes(self.max_entries or ()),
            exclusive=parse_owners(self.exclusive or ()),
            reuse=self.words.reused(spec),
            globals=tuple(self.globals or ()),
            ifindex=self.words.ifindex,
            offload=self.words.offload,
            log_level=parse_log(self.log, self.log_level),
            log_size=self.log_size,
            log_fixed=self.log_fixed,
            mount=not out.no_mount,
            kernel_btf=self.kernel_btf or self.words.kernel_btf or KERNEL_FILE,
            kernel_config=self.kernel_config,
        )


def load_one(out: Context, request: LoadRequest, name: str | None) -> None:
    """Load and pin one program; the object's first unless `name` says which."""
    operation = "prog-load"
    spec = request.read(operation)
    chosen = name or _first(spec)
    options = replace(request.options(out, spec), programs=frozenset({chosen}))

    _load_and_pin(out, request, spec, options, lambda _: request.words.path, operation)


def load_all(out: Context, request: LoadRequest) -> None:
    """Load and pin all programs of an object."""
    from bpfctl.loader.pins import pin_path

    operation = "prog-loadall"
    spec = request.read(operation)
    options = request.options(out, spec)
    named = request.only or [one.name for one in spec.programs if one.section.autoload]
    some = set(named) - set(request.skip or ())
    if not some and not request.words.pinmaps and not any(map(_pins_itself, spec.maps)):
        raise _all_skipped(spec, operation) if named else _no_program(spec, operation)
    directory = request.words.path
    _load_and_pin(
        out,
        request,
        spec,
        options,
        lambda name: pin_path(directory, name),
        operation,
        directory=directory,
    )


def _load_and_pin(
    out: Context,
    request: LoadRequest,
    spec: ObjectSpec,
    options: LoadOptions,
    place: Callable[[str], str],
    operation: str,
    directory: str | None = None,
) -> None:
    """Load, attach, pin, and answer; what was pinned goes again when anything fails."""
    with load(spec, options, operation, request.log) as loaded:
        try:
            attached = _attach(loaded, request)
            if directory is not None:
                loaded.pins.make_directory(directory)
            paths = _pin(loaded, request, attached, place)
            maps = loaded.pin_maps(request.words.pinmaps) if request.words.pinmaps else {}
            answer = _answer(loaded, attached, paths, maps) if out.json else None
        except BpfctlError as err:
            err.within(operation=operation)
            err.undone = True
            raise
        failed = None
        if request.attach:
            from .load_attach import failures, note_unattached

            failed = failures(attached, operation)
            note_unattached(loaded, attached, request.interface)
            from .attach_notes import note_down, note_lsm

            for target in {one.target for one in attached if request.interface and one.target}:
                note_down(target)
            note_lsm(
                (one.name, loaded.programs[one.name].spec.section.prog_type)
                for one in attached
                if one.links and one.name in loaded.programs
            )
        if answer is not None and failed is None:
            from .output import finish, write_json

            write_json(out, answer)
            finish()  # while what was pinned can still go
    if failed is not None:
        raise failed


def _attach(loaded: LoadedObject, request: LoadRequest) -> list[Attachment]:
    if request.attach:
        from bpfctl.loader.attach import attach_all
        from bpfctl.loader.attach_at import Places

        from .load_attach import check_places

        places = Places(request.interface, request.cgroup)
        found = attach_all(loaded, keep_going=request.keep_going, places=places, stay=True)
        check_places(found, places)
        return found
    return []


def _pin(
    loaded: LoadedObject,
    request: LoadRequest,
    attached: Sequence[Attachment],
    place: Callable[[str], str],
) -> dict[str, str]:
    """Pin what was attached by its links, else the programs; give the paths by name."""
    if request.attach:
        from .load_attach import pin_attached

        return pin_attached(loaded, attached, place)
    paths = {name: place(name) for name in loaded.programs}
    for name, path in paths.items():
        loaded.pins.pin(loaded.programs[name].fd, path)
    return paths


def _answer(
    loaded: LoadedObject,
    attached: Sequence[Attachment],
    paths: Mapping[str, str],
    maps: Mapping[str, str],
) -> dict[str, object]:
    from bpfctl.objects.ids import ObjectKind
    from bpfctl.objects.pin import id_of

    def entry(kind: ObjectKind, name: str, fd: Fd, pinned: str | None) -> dict[str, object]:
        return {"id": id_of(kind, fd), "name": name, "pinned": pinned}

    links: dict[str, dict[str, object]] = {}
    if attached:
        from .load_attach import link_entries

        links = link_entries(attached, paths)
    filters = {one.name: str(one.target) for one in attached if one.stays}
    programs = [
        entry(ObjectKind.PROG, name, one.fd, None if name in links else paths.get(name))
        | ({"link": links[name]} if name in links else {})
        | ({"attached_to": filters[name]} if name in filters else {})
        for name, one in loaded.programs.items()
    ]
    return {
        "programs": programs,
        "maps": [
            entry(ObjectKind.MAP, name, one.fd, maps.get(name) or one.pinned)
            for name, one in loaded.maps.items()
        ],
    }


def _pins_itself(spec: MapSpec) -> bool:
    return spec.pin_by_name or spec.pin_path is not None


def _first(spec: ObjectSpec) -> str:
    """The program that loads when nobody chose: the first, one for loading if there is any."""
    if not spec.programs:
        raise _no_program(spec, "prog-load")
    return min(spec.programs, key=lambda one: not one.section.autoload).name


def _all_skipped(spec: ObjectSpec, operation: str) -> UsageError:
    return UsageError(
        "every program is left out by --skip",
        code="no-program",
        operation=operation,
        subject=spec.path,
    )


def _no_program(spec: ObjectSpec, operation: str) -> NotFoundError:
    names = [one.name for one in spec.programs]
    return NotFoundError(
        "the object has no program to load",
        code="no-program",
        operation=operation,
        subject=spec.path,
        evidence=[f'in "?" sections: {", ".join(names)}'] if names else [],
        remedy="--program NAME (loadall: --only NAME) loads one of them" if names else None,
    )
