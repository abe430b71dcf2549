import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from digest.cli.app import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in this process, as `digest ARGUMENTS…` would from a pipe."""

    def call(*arguments: object) -> Ran:
        monkeypatch.setattr(sys, "argv", ["digest", *map(str, arguments)])
        # Under `python -m pytest`, help would call us `python -m pytest.digest`.
        monkeypatch.setattr(sys.modules["__main__"], "__package__", None, raising=False)
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        code = ended.value.code
        return Ran(code=code if isinstance(code, int) else 1, out=printed.out, err=printed.err)

    return call


Terminal = Callable[..., Ran]


@pytest.fixture
def terminal() -> Terminal:
    """Runs `digest ARGUMENTS…` on a terminal of its own; `out` is everything it shows."""

    def call(*arguments: object, columns: int = 80, typed: str = "", kind: str = "dumb") -> Ran:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        process = subprocess.Popen(
            [sys.executable, "-m", "digest", *map(str, arguments)],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": kind, "COLUMNS": str(columns)},
        )
        os.close(theirs)
        os.write(ours, typed.encode())
        seen = b""
        try:
            while chunk := os.read(ours, 65_536):
                seen += chunk
        except OSError:  # Linux says so when the other side is closed
            pass
        finally:
            os.close(ours)
        return Ran(code=process.wait(), out=seen.decode().replace("\r\n", "\n"), err="")

    return call


SITE = """\
[site]
name = "Example News"
url = "https://www.example.com"
timezone = "Europe/Lisbon"
postal_address = "1 Example Street"
[newsletters.daily]
from = "Example News <news@example.com>"
"""


@pytest.fixture
def newsroom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    """A newsletter with an article and two readers: its folder, and the working directory."""
    (tmp_path / "digest.toml").write_text(SITE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run("articles", "add", "Ferry runs", "https://www.example.com/ferry").code == 0
    for name in ("ada", "bo"):
        assert run("subscribers", "add", f"{name}@example.com").code == 0
    return tmp_path


@pytest.fixture
def march(newsroom: Path, run: Run) -> Path:
    """The newsroom on any day before 20 March 2026, for commands with `--at`, whatever today is."""
    address = "https://www.example.com/ferry"
    assert run("articles", "add", "Ferry runs", address, "--published", "2026-03-20").code == 0
    return newsroom


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-json",
        action="store_true",
        help="write tests/cli/json.golden anew instead of comparing what --json prints",
    )
