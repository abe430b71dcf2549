from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from digest.config.load import Loaded, load_text
from digest.errors import ConfigError, Problem

MINIMAL = """\
[site]
name = "Example News"
url = "https://www.example.com"
[newsletters.daily]
from = "Example News <news@example.com>"
"""

Load = Callable[..., Loaded]
Problems = Callable[..., dict[str, Problem]]


@pytest.fixture
def minimal() -> str:
    """The shortest configuration that is whole; it ends inside [newsletters.daily]."""
    return MINIMAL


@pytest.fixture
def loaded(tmp_path: Path) -> Load:
    """Loads a text as if it stood in digest.toml of a temporary folder."""

    def load(text: str, environ: Mapping[str, str] | None = None) -> Loaded:
        return load_text(text, tmp_path / "digest.toml", environ or {})

    return load


@pytest.fixture
def problems(loaded: Load) -> Problems:
    """The problems of a text, by their paths."""

    def find(text: str, environ: Mapping[str, str] | None = None) -> dict[str, Problem]:
        with pytest.raises(ConfigError) as caught:
            loaded(text, environ)
        found = {problem.path: problem for problem in caught.value.problems}
        assert len(found) == len(caught.value.problems), "a path is named once"
        return found

    return find
