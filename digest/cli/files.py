"""`--out FILE`: whether it can be written, and what its ending says about its content."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from digest.errors import UsageError
from digest.lib.atomic_file import replacing

_F = TypeVar("_F")


def writable(out: Path) -> None:
    """Raises UsageError where no file can be: it is a folder, or there is no folder for it."""
    if out.is_dir():
        raise UsageError(f"--out: {out} is a folder, expected the name of a file")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"--out: there is no folder {out.parent}", hint="Make it first.")


def replace_whole(out: Path, content: bytes) -> None:
    """Write a file at once: whoever looks finds the old one or the new one, never a part.

    What is no plain file, such as /dev/stdout, is written to as it is. Raises UsageError.
    """
    try:
        if out.exists() and not out.is_file():
            out.write_bytes(content)
            return
        with replacing(out.resolve()) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise UsageError(f"--out: {out} cannot be written: {error.strerror}") from None


def by_ending(out: Path, endings: Mapping[str, _F], *, advice: str) -> _F:
    """What the ending of a file says. Raises UsageError where it says nothing."""
    found = endings.get(out.suffix.lower())
    if found is None:
        raise UsageError(f"--out: the ending of {out} does not say what to write", hint=advice)
    return found
