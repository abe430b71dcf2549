"""Parsing a draft file into its headings and story lines, without knowing any article."""

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from digest.lib.text import plain

#: Octets of a draft file. A long edition has a hundredth of it.
MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFileError:
    """What is wrong with a line of a draft file, and what to do; lines count from 1."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


class Heading(Enum):
    """What the lines under a heading are."""

    LEAD = "lead"
    SECTION = "section"
    NO_SECTION = "no section"
    WAITING = "waiting"
    DROPPED = "dropped"


@dataclass(slots=True, kw_only=True)
class Line:
    """A line `[12] Title` and the indented ones under it."""

    number: int
    article_id: int
    part: Heading
    section: str | None
    headline: bool
    title: str
    deck: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ParsedDraftFile:
    """A draft file taken apart. `draft` is what its line `Draft:` says, with the line's number."""

    lines: list[Line] = field(default_factory=list)
    subject: tuple[int, str] | None = None
    intro: list[list[str]] = field(default_factory=list)
    intro_line: int = 0
    draft: tuple[int, str] | None = None
    errors: list[DraftFileError] = field(default_factory=list)

    @property
    def about(self) -> tuple[str | None, str | None]:
        """The newsletter and the slot that its line `Draft:` names, so far as it does."""
        words = self.draft[1].split() if self.draft else []
        key, slot, *_ = [*words, None, None]
        return key, slot


_HEADING = re.compile(
    r"(draft|subject|intro|lead|section|no section|waiting|dropped) *:(.*)", re.IGNORECASE
)
_STORY = re.compile(r"(-?) *\[ *([0-9]+) *\](.*)")


def parse(content: bytes) -> ParsedDraftFile:
    """Every line of a draft file; one that is neither story nor heading is an error."""
    if len(content) > MOST:
        message = (
            f"the file has {len(content):,} bytes, a draft at most {MOST:,}: is it the right one?"
        )
        return ParsedDraftFile(errors=[DraftFileError(line=1, message=message)])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = "this is not UTF-8 text; save the file as UTF-8"
        return ParsedDraftFile(errors=[DraftFileError(line=line, message=message)])
    parser = _Parser()
    for number, written in enumerate(text.split("\n"), start=1):
        parser.read(number, written)
    return parser.parsed


class _Parser:
    def __init__(self) -> None:
        self.parsed = ParsedDraftFile()
        self._part: Heading | None = None
        self._section: str | None = None
        self._in_intro = False
        self._headings: dict[str, int] = {}
        self._story: Line | None = None

    def read(self, number: int, line: str) -> None:
        if line.startswith("#"):
            return
        text = plain(line)
        if not text:
            self._end_of_paragraph()
        elif line[0] in " \t":
            self._indented(number, text)
        elif story := _STORY.fullmatch(text):
            self._take_story(number, *story.groups())
        elif heading := _HEADING.fullmatch(text):
            self._take_heading(number, heading[1].lower(), plain(heading[2]))
        else:
            self._error(number, self._unknown_line())

    def _error(self, number: int, message: str) -> None:
        self.parsed.errors.append(DraftFileError(line=number, message=message))

    def _unknown_line(self) -> str:
        if self._in_intro:
            return "the lines of the intro are indented; begin this one with four spaces"
        return (
            "this is neither a story such as `[12] Title` nor a heading such as `Lead:`; a line"
            " that continues the one above begins with four spaces, a comment with #"
        )

    def _end_of_paragraph(self) -> None:
        if self._in_intro and self.parsed.intro and self.parsed.intro[-1]:
            self.parsed.intro.append([])

    def _indented(self, number: int, text: str) -> None:
        if self._in_intro:
            if not self.parsed.intro:
                self.parsed.intro.append([])
            self.parsed.intro[-1].append(text)
        elif self._story is None:
            self._error(number, "this line is indented, and there is no story above it")
        elif self._story.headline and self._story.part not in (Heading.WAITING, Heading.DROPPED):
            self._error(
                number,
                f"a headline has no deck; take the dash away from [{self._story.article_id}]"
                " to show it with one",
            )
            self._story.headline = False  # reported once
        else:
            self._story.deck.append(text)

    def _take_story(self, number: int, dash: str, digits: str, title: str) -> None:
        self._in_intro = False
        if self._part is None:
            self._error(number, "a story stands under `Lead:`, a section, or `No section:`")
            return
        self._story = Line(
            number=number,
            # No article has a number of so many digits; what follows them changes nothing.
            article_id=int(digits[:25]),
            part=self._part,
            section=self._section,
            headline=bool(dash),
            title=plain(title),
        )
        self.parsed.lines.append(self._story)

    def _take_heading(self, number: int, heading: str, text: str) -> None:
        self._in_intro = False
        self._story = None
        is_section = heading == "section"
        if heading not in ("draft", "subject", "intro"):
            # The stories below belong to it even where it is an error, so that they are none.
            self._part = Heading(heading)
            self._section = text if is_section else None
        shown = f"Section: {text}" if is_section else f"{heading.capitalize()}:"
        first = self._headings.setdefault(f"section {text}" if is_section else heading, number)
        if first != number:
            self._error(number, f"`{shown}` is on line {first} already; put the two together")
            return
        match heading:
            case "draft":
                self.parsed.draft = (number, text)
            case "subject":
                self.parsed.subject = (number, text)
            case "intro":
                self._in_intro = True
                self.parsed.intro_line = number
                if text:
                    self.parsed.intro.append([text])
            case "section" if not text:
                self._error(number, "a section has a title: `Section: Harbour`, or `No section:`")
            case _ if text and not is_section:
                self._error(number, f"`{shown}` stands alone on its line")
