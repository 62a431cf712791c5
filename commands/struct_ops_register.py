"""What `struct_ops register` does: load, register, pin links, and say what is where."""

from __future__ import annotations

from contextlib import ExitStack

from bpfctl.errors import BpfctlError, NotFoundError, UsageError

from .loading import load, read
from .output import finish, say, write_done

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from bpfctl.elf.spec import MapSpec, ObjectSpec
    from bpfctl.loader.loaded import LoadedObject
    from bpfctl.loader.struct_ops_load import Registered

    from .context import Context

_OPERATION = "struct_ops-register"


def register_all(
    out: Context, words: Sequence[str], assignments: Sequence[str], kernel_config: str | None
) -> None:
    """Register all struct_ops of an object file. What was registered goes again on errors."""
    from bpfctl.loader.options import LoadOptions

    if not 1 <= len(words) <= 2:
        raise UsageError("expected OBJ [LINK_DIR]: the object file, and where to pin links")
    spec = read(words[0], _OPERATION)
    directory = words[1] if len(words) > 1 else None
    _check(spec, directory)
    options = LoadOptions(
        globals=tuple(assignments), kernel_config=kernel_config, mount=not out.no_mount
    )
    with load(spec, options, _OPERATION) as loaded, ExitStack() as undo:
        lines = [_register(loaded, name, directory, undo) for name in loaded.struct_ops]
        for line in lines:
            say(line)
        write_done(out)
        finish()  # while what was registered can still go
        undo.pop_all()


def _check(spec: ObjectSpec, directory: str | None) -> None:
    """Refuse what would not be there when the command has ended."""
    from bpfctl.kernel.flags import MapFlags

    made: list[MapSpec] = [
        one for one in spec.maps if one.struct_ops and not one.struct_ops.optional
    ]
    if not made:
        raise NotFoundError("the object has no struct_ops", code="no-struct-ops", subject=spec.path)
    linked = [one.name for one in made if one.flags & MapFlags.LINK]
    if linked and directory is None:
        raise UsageError(
            f"{', '.join(linked)} would be registered only as long as this command runs",
            code="link-directory-missing",
            subject=spec.path,
            evidence=["section .struct_ops.link: a link registers it, and somebody must hold that"],
            remedy="struct_ops register OBJ LINK_DIR pins the links at LINK_DIR/name",
        )


def _register(loaded: LoadedObject, name: str, directory: str | None, undo: ExitStack) -> str:
    """Register one; return what to say of it."""
    from bpfctl.kernel.info import link_info, map_info
    from bpfctl.loader.pins import pin_path
    from bpfctl.loader.struct_ops_load import register

    made = register(loaded, name)
    undo.callback(_take_out, made)
    line = f"registered {made.kernel_struct} {name} id {map_info(made.map).number('id')}"
    if made.link is None or directory is None:
        return line
    path = pin_path(directory, name)
    loaded.pins.make_directory(directory)
    loaded.pins.pin(made.link, path)
    line += f" link id {link_info(made.link).number('id')} pinned {path}"
    loaded.resources.enter_context(made.link)
    return line


def _take_out(made: Registered) -> None:
    """Undo a registration; a link that is closed does it by itself."""
    from bpfctl.objects.struct_ops import unregister

    if made.link is not None:
        made.link.close()
        return
    try:
        unregister(made.map)
    except BpfctlError as err:
        say(f"bpfctl: {made.name} stays registered: {err}")
