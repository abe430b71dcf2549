"""A file of this machine, read whole and no further than a limit."""

import os
from pathlib import Path

from digest.errors import SourceError


def read(path: Path, name: str, most: int) -> bytes:
    """The bytes of a file. Raises SourceError for one that is missing, no file, or too large.

    Only regular files are read: a pipe or a device might never end.
    """
    shown = os.path.normpath(path)
    try:
        if not path.exists():
            raise SourceError(f"{name}: there is no file {shown}", hint="Check the path.")
        if not path.is_file():
            raise SourceError(f"{name}: {shown} is not a file", hint="Check the path.")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise SourceError(
            f"{name}: {shown} cannot be read ({error.strerror or error})",
            hint="Check the rights on the file and its folders.",
        ) from error
    if len(content) > most:
        raise SourceError(
            f"{name}: {shown} is larger than {most:,} bytes",
            hint="If that is right, raise `max_bytes` at the source in digest.toml.",
        )
    return content
