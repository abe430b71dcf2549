"""The direction of the arrows, and what must not be in the repository."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_imports_run_downwards_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_sql_is_in_the_storage_room_only() -> None:
    statement = re.compile(r"\b(select .+ from|insert into|update \w+ set|delete from) ")
    strays = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in sorted((ROOT / "digest").rglob("*.py"))
        if not path.is_relative_to(ROOT / "digest" / "storage")
        for match in statement.finditer(path.read_text(encoding="utf-8"))
        # Reading somebody else's database is what this source is for.
        if path.name != "sqlite_source.py"
    ]
    assert strays == []


@pytest.mark.parametrize("name", ["utils", "helpers", "common", "core", "manager", "base", "misc"])
def test_no_module_has_a_name_that_says_nothing(name: str) -> None:
    assert [str(path) for path in (ROOT / "digest").rglob(f"{name}.py")] == []


def test_each_heavy_library_has_its_one_place() -> None:
    places = {
        "premailer": {"composer/inlining.py"},
        "jinja2": {"composer/templates.py"},
        "feedparser": {"ingest/feeds.py"},
        "babel": {"composer/language.py"},
        "apscheduler": {"service/wakeups.py"},
    }
    for library, allowed in places.items():
        imports = re.compile(rf"^\s*(from|import) {library}\b", re.MULTILINE)
        found = {
            str(path.relative_to(ROOT / "digest"))
            for path in (ROOT / "digest").rglob("*.py")
            if imports.search(path.read_text(encoding="utf-8"))
        }
        assert found == allowed, f"{library} is imported in {found}, expected {allowed}"


def test_no_tracked_file_names_a_download_address() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    host = re.compile(rb"https?://[^\s\"]+[.](whl|tar[.]gz)|--index-url")
    bad = [
        name
        for name in listed.stdout.splitlines()
        if (ROOT / name).is_file()
        and name != "tests/architecture/test_layers.py"
        and host.search((ROOT / name).read_bytes())
    ]
    assert bad == []
