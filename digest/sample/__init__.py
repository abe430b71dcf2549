"""The sample newsletter, as it travels with the package: a folder that works as it is.

The Harbour Gazette is invented, and so is its town. `tools/sample/build.py` makes its database.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from digest.errors import StorageError, UsageError

_HERE: Final = Path(__file__).parent
_DATABASE: Final = "subscribers.db"
_FOLDERS: Final = ("images", "sources")


def copy_to(folder: Path) -> None:
    """Make `folder` a copy of the sample: digest.toml, subscribers.db, images/ and sources/.

    The original is only read. Raises UsageError where one of these files is there already, before
    anything is written, and StorageError where the sample's database did not come with the package.
    """
    files = dict(_files())
    taken = [name for name in files if (folder / name).exists()]
    if taken:
        raise UsageError(
            f"{folder} has a file {taken[0]} already",
            hint="Name another folder, or one that does not exist yet.",
        )
    for name, original in files.items():
        copy = folder / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        # Contents only: where the package is read-only, the copy must not be.
        shutil.copyfile(original, copy)


def _files() -> Iterator[tuple[str, Path]]:
    """Every file of the sample: its name inside a folder, and where the original is."""
    yield "digest.toml", _HERE / "digest.toml"
    yield _DATABASE, _database()
    for name in _FOLDERS:
        for file in sorted((_HERE / name).iterdir()):
            yield f"{name}/{file.name}", file


def _database() -> Path:
    # A wheel brings it beside this module; in a checkout it stands at the top level.
    for place in (_HERE / _DATABASE, _HERE.parents[1] / _DATABASE):
        if place.is_file():
            return place
    raise StorageError(
        f"the sample's {_DATABASE} did not come with this installation of digest",
        hint="Install digest again; in a checkout, run `python tools/sample/build.py`.",
    )
