"""The console examples of README and the guide, run as they stand.

A block marked `console` is a session: a line `$ command` is run by bash in an empty folder, the
same one for the whole page, and the lines under it are what it prints, both streams together. `…`
stands for anything, on a line of its own for any number of lines. A block marked `console skip`
needs something that a test has not (a network, another machine).
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A command and what it prints."""

    command: str
    output: str


def examples(page: str) -> Iterator[Example]:
    for block in _BLOCK.findall(page):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            # As a shell shows it: `> ` begins the further lines of a command.
            while output.startswith("> "):
                more, _, output = output.partition("\n")
                joint = "" if command.endswith("\\") else "\n"
                command = command.removesuffix("\\") + joint + more.removeprefix("> ")
            yield Example(command=command, output=output.rstrip("\n"))


def pattern(output: str) -> re.Pattern[str]:
    lines = [
        r"(?:.*\n)*?"
        if line.strip() == "…"
        else re.escape(line.rstrip()).replace("…", ".*?") + r"\n"
        for line in output.split("\n")
    ]
    return re.compile("".join(lines) if output else "")


def run(command: str, folder: Path) -> str:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "COLUMNS": "100",
        "TMPDIR": str(folder),
    }
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_examples_of_a_page_print_what_it_says(page: Path, tmp_path: Path) -> None:
    if page.name != "README.md":
        assert list(examples(page.read_text(encoding="utf-8"))), f"{page.name} has no example"
    folder = tmp_path
    for example in examples(page.read_text(encoding="utf-8")):
        if match := re.fullmatch(r"cd (\S+)", example.command):
            folder = folder / match[1]
            continue
        printed = run(example.command, folder)
        assert pattern(example.output).fullmatch(printed), (
            f"{page.name}: `{example.command}` printed\n{printed}\nand the page says\n"
            f"{example.output}"
        )


def test_a_wrong_output_is_noticed() -> None:
    assert pattern("one\n…\nlast…").fullmatch("one\ntwo\nthree\nlast words\n")
    assert not pattern("one").fullmatch("one\ntwo\n")
    assert not pattern("one").fullmatch("")
