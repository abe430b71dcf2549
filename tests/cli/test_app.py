import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from digest.cli.app import COMMANDS, LazyCommand, app
from digest.cli.help import Command, Group

Run = Callable[..., Any]

DIGEST = [sys.executable, "-m", "digest"]


def commands(group: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(group, LazyCommand):
        group = group.load()
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, *path, name)


ALL = list(commands(get_command(app)))


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_every_help_has_an_example_and_describes_every_option(
    path: tuple[str, ...], command: Any, run: Run
) -> None:
    done = run(*path, "--help")
    assert done.code == 0
    assert f"Example:\n  digest {' '.join(path)}".rstrip() in done.out
    assert isinstance(command, Command | Group)
    parameters: list[Any] = list(command.params)
    for parameter in parameters:
        assert parameter.help, f"{path}: {parameter.name}"
    for mark in ("<bool>", "<str>", "{", "`", "**"):
        assert mark not in done.out


def test_the_summary_of_a_command_is_the_first_line_of_its_help() -> None:
    helps = {path[0]: command.help for path, command in ALL if len(path) == 1}
    assert {name: text.split("\n\n")[0] for name, text in helps.items()} == {
        name: summary for name, (_, summary) in COMMANDS.items()
    }


def test_help_keeps_angle_brackets_and_fits_the_terminal(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    lines = run("subscribers", "add", "--help").out.splitlines()
    assert "A Name <name@example.com>" in " ".join(" ".join(lines).split())
    example = lines.index("Example:") + 1
    assert all(len(line) <= 60 for at, line in enumerate(lines) if at != example)


def test_help_is_printed_without_the_heavy_libraries() -> None:
    code = (
        "import sys\n"
        "from digest.cli.app import app\n"
        "try: app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'rich', 'pydantic', 'jinja2', 'sqlite_utils', 'premailer', 'babel', 'asyncio'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (("sned",), "there is no command sned. Did you mean send?", "`digest --help`"),
        (("status", "--nubmer", "1"), "there is no option --nubmer here", "mean --number?"),
        (("status", "--config", "x"), "no option --config here", "before the command: `digest --c"),
        (("status", "--number", "x"), "--number: found 'x', expected a whole number", "status --h"),
        (("status", "--number"), "--number needs a value after it", ""),
        (("articles", "show"), "ID is missing", "`digest articles show --help`"),
        (("articles", "show", "9" * 20), f"ID: found '{'9' * 20}', expected at most 9,223", ""),
        (("articles", "list", "--limit", "9" * 20), "--limit: found", ""),
        (("articles", "list", "--limit", "-1"), "--limit: found '-1', expected at least 0", ""),
        (("subscribers", "export", "-f", "x"), "found 'x', expected one of csv, jsonl", ""),
        (("audit", "now"), "too many arguments: now", "`digest audit --help`"),
    ],
)
def test_a_command_line_that_makes_no_sense_is_told_in_our_words(
    run: Run, arguments: tuple[str, ...], error: str, hint: str
) -> None:
    done = run(*arguments)
    assert (done.code, done.out) == (2, "")
    first, *rest = done.err.splitlines()
    assert first.startswith("error: ")
    assert error in first
    assert hint in "".join(rest)
    assert "─" not in done.err


def test_a_group_without_a_command_shows_its_help(run: Run) -> None:
    done = run("articles")
    assert done.code == 2
    assert done.err.startswith("Usage: digest articles [OPTIONS] COMMAND …")


@pytest.mark.parametrize(
    "arguments",
    [("subscribers", "export"), ("articles", "list"), ("articles", "list", "--json"), ("status",)],
)
def test_a_pipe_that_is_closed_early_is_no_error(
    newsroom: Path, arguments: tuple[str, ...]
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*DIGEST, *arguments], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr
    assert b"rror" not in done.stderr


def test_a_shell_completes_newsletters_and_sources(tmp_path: Path) -> None:
    (tmp_path / "digest.toml").write_text(
        '[newsletters.daily]\n[newsletters.weekly]\n[[sources]]\nname = "paper"\n[[sources]]\n'
    )
    (tmp_path / "broken.toml").write_text("[")

    def completed(line: str) -> list[str]:
        words = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
        done = subprocess.run(
            [sys.executable, "-c", "from digest.cli.app import app; app(prog_name='digest')"],
            env={**os.environ, **words, "_DIGEST_COMPLETE": "complete_bash"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout.split()

    assert completed("digest send ") == ["daily", "weekly"]
    assert completed("digest articles pin 1 --newsletter w") == ["weekly"]
    assert completed("digest ingest p") == ["paper"]
    assert completed("digest -c broken.toml send ") == []
    assert completed("digest -c nowhere.toml send ") == []
