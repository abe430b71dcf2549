"""Files that appear whole or not at all: written under a temporary name, then renamed or linked.

The temporary file stands beside its target, because only inside one file system a renaming is
atomic. Whether it is flushed to the disk is up to the writer.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def temporary_beside(target: Path) -> Iterator[Path]:
    """A free name, hidden, in the folder of `target`. What is still there at the end is removed."""
    temporary = target.with_name(f".{target.name}.{os.urandom(4).hex()}.part")
    try:
        yield temporary
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """A name to write to; what was written there takes the place of `target`."""
    with temporary_beside(target) as temporary:
        yield temporary
        temporary.replace(target)


@contextmanager
def creating(target: Path) -> Iterator[Path]:
    """A name to write to; what was written there becomes `target`.

    Raises FileExistsError if that exists by then: a link, unlike a renaming, overwrites nothing.
    """
    with temporary_beside(target) as temporary:
        yield temporary
        os.link(temporary, target)


def owner_only(path: str, flags: int) -> int:
    """An `opener` for `open` and mode `x`: a new file that only its owner may read and write."""
    return os.open(path, flags, 0o600)
