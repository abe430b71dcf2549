"""`--out FILE`: check it, write it, and tell the format by its ending."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from digest.errors import UsageError
from digest.lib.atomic_file import replacing

_F = TypeVar("_F")


def writable(out: Path) -> None:
    """Raises UsageError for a folder, and for a file in a folder that does not exist."""
    if out.is_dir():
        raise UsageError(f"--out: {out} is a folder, expected the name of a file")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"--out: there is no folder {out.parent}", hint="Create it first.")


def replace_whole(out: Path, content: bytes) -> None:
    """Write a file atomically: a reader finds the old content or the new, never a part.

    What is not a regular file, such as /dev/stdout, is written to directly. Raises UsageError.
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
    """The format that the ending of a file names. Raises UsageError for an unknown ending."""
    format_ = endings.get(out.suffix.lower())
    if format_ is None:
        raise UsageError(f"--out: the ending of {out} names no format", hint=advice)
    return format_
