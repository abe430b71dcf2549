"""Paths of files as digest.toml gives them."""

from pathlib import Path


def absolute(path: str, folder: Path) -> Path:
    """The path as seen from the folder of digest.toml; `~` is the home folder."""
    try:
        return folder / Path(path).expanduser()
    except RuntimeError:  # there is no such home
        return folder / path
