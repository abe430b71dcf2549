"""What a newcomer does first: README's command in a fresh clone; the wheel, in an empty folder."""

import json
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


def run(command: str, folder: Path) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DIGEST_", "PYTEST"))}
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def clone(folder: Path) -> Path:
    """What somebody gets who clones: the tracked files, as they are now."""
    listed = run("git ls-files -z", ROOT).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    return folder


def test_readmes_first_command_works_in_a_fresh_clone(tmp_path: Path) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    command = re.search(r"python3 -m venv \.venv && .* demo$", readme, re.MULTILINE)
    assert command, "README.md has lost its first command"
    # `python3` is whatever runs these tests: a machine's own may be older than we support.
    python = command[0].replace("python3", sys.executable, 1)
    printed = run(python, clone(tmp_path))
    promised = re.search(
        r"(\d+) of (\d+) active readers have exactly one message with both parts", printed
    )
    assert promised, printed
    assert promised[1] == promised[2] != "0"


def test_the_wheel_alone_runs_the_demo_in_an_empty_folder(tmp_path: Path) -> None:
    sources, wheels, empty = (tmp_path / name for name in ("sources", "wheels", "empty"))
    empty.mkdir()
    clone(sources)
    run(f"{sys.executable} -m build --wheel --no-isolation --outdir {wheels} {sources}", tmp_path)
    (wheel,) = wheels.glob("*.whl")
    shutil.rmtree(sources)
    venv.create(tmp_path / "venv", with_pip=True)
    run(f"{tmp_path}/venv/bin/pip install -q -c {ROOT}/constraints.txt {wheel}", tmp_path)
    shown = json.loads(run(f"{tmp_path}/venv/bin/digest demo --json", empty))
    assert len(shown["readers"]) > 10
    for reader in shown["readers"]:
        assert reader["messages"] == 1
        assert reader["parts"] == ["text/plain", "text/html"]
    assert list(empty.iterdir()) == []
