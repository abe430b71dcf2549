"""Each library of the composer stands behind one module, so that it can be replaced."""

import ast
from pathlib import Path

import pytest

import digest.composer

MODULES = sorted(Path(digest.composer.__file__).parent.glob("*.py"))


def imports(module: Path) -> set[str]:
    """The top-level packages that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.mark.parametrize(
    ("library", "module"),
    [("jinja2", "templates.py"), ("premailer", "inlining.py"), ("babel", "language.py")],
)
def test_one_module_knows_the_library(library: str, module: str) -> None:
    assert [path.name for path in MODULES if library in imports(path)] == [module]
