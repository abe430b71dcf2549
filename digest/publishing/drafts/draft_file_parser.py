"""The parts of a sheet: its lines, taken for what they are, without knowing any article."""

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from digest.lib.text import plain

#: Octets of a sheet. A long edition has a hundredth of it.
MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFileError:
    """What is wrong with a line of a sheet, and what to do; lines count from 1."""

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
    """A sheet taken apart. `named` is what its line `Draft:` says, with the line's number."""

    lines: list[Line] = field(default_factory=list)
    subject: tuple[int, str] | None = None
    intro: list[list[str]] = field(default_factory=list)
    intro_line: int = 0
    named: tuple[int, str] | None = None
    mistakes: list[DraftFileError] = field(default_factory=list)

    @property
    def about(self) -> tuple[str | None, str | None]:
        """The newsletter and the slot that its line `Draft:` names, so far as it does."""
        words = self.named[1].split() if self.named else []
        key, slot, *_ = [*words, None, None]
        return key, slot


_HEADING = re.compile(
    r"(draft|subject|intro|lead|section|no section|waiting|dropped) *:(.*)", re.IGNORECASE
)
_STORY = re.compile(r"(-?) *\[ *([0-9]+) *\](.*)")


def parse(content: bytes) -> ParsedDraftFile:
    """Every line of a sheet; what is none is a mistake."""
    if len(content) > MOST:
        return ParsedDraftFile(mistakes=[_too_large(content)])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = "this is not UTF-8 text; save the file as UTF-8"
        return ParsedDraftFile(mistakes=[DraftFileError(line=line, message=message)])
    reader = _Reader()
    for number, written in enumerate(text.split("\n"), start=1):
        reader.read(number, written)
    return reader.parts


def _too_large(content: bytes) -> DraftFileError:
    message = f"the file has {len(content):,} bytes, a draft at most {MOST:,}: is it the right one?"
    return DraftFileError(line=1, message=message)


class _Reader:
    def __init__(self) -> None:
        self.parts = ParsedDraftFile()
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
        elif found := _STORY.fullmatch(text):
            self._take_story(number, *found.groups())
        elif found := _HEADING.fullmatch(text):
            self._take_heading(number, found[1].lower(), plain(found[2]))
        else:
            self._mistake(number, self._neither())

    def _mistake(self, number: int, message: str) -> None:
        self.parts.mistakes.append(DraftFileError(line=number, message=message))

    def _neither(self) -> str:
        if self._in_intro:
            return "the lines of the intro are indented; begin this one with four spaces"
        return (
            "this is neither a story such as `[12] Title` nor a heading such as `Lead:`; what goes"
            " on from the line above begins with four spaces, and a remark with #"
        )

    def _end_of_paragraph(self) -> None:
        if self._in_intro and self.parts.intro and self.parts.intro[-1]:
            self.parts.intro.append([])

    def _indented(self, number: int, text: str) -> None:
        if self._in_intro:
            if not self.parts.intro:
                self.parts.intro.append([])
            self.parts.intro[-1].append(text)
        elif self._story is None:
            self._mistake(number, "this line is indented, and there is no story above it")
        elif self._story.headline and self._story.part not in (Heading.WAITING, Heading.DROPPED):
            self._mistake(
                number,
                f"a headline has no deck; take the dash away from [{self._story.article_id}]"
                " to show it with one",
            )
            self._story.headline = False  # it is said once
        else:
            self._story.deck.append(text)

    def _take_story(self, number: int, dash: str, digits: str, title: str) -> None:
        self._in_intro = False
        if self._part is None:
            self._mistake(number, "a story stands under `Lead:`, a section, or `No section:`")
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
        self.parts.lines.append(self._story)

    def _take_heading(self, number: int, heading: str, rest: str) -> None:
        self._in_intro = False
        self._story = None
        if not self._is_new(number, heading, rest):
            return
        match heading:
            case "draft":
                self.parts.named = (number, rest)
            case "subject":
                self.parts.subject = (number, rest)
            case "intro":
                self._in_intro = True
                self.parts.intro_line = number
                if rest:
                    self.parts.intro.append([rest])
            case _:
                self._take_part(number, Heading(heading), rest)

    def _take_part(self, number: int, part: Heading, rest: str) -> None:
        self._part = part
        self._section = rest if part is Heading.SECTION else None
        if part is Heading.SECTION and not rest:
            self._mistake(number, "a section has a title: `Section: Harbour`, or `No section:`")
        elif part is not Heading.SECTION and rest:
            self._mistake(number, f"`{part.value.capitalize()}:` stands alone on its line")

    def _is_new(self, number: int, heading: str, rest: str) -> bool:
        name = f"section {rest}" if heading == "section" else heading
        first = self._headings.setdefault(name, number)
        if first == number:
            return True
        shown = f"Section: {rest}" if heading == "section" else f"{heading.capitalize()}:"
        self._mistake(number, f"`{shown}` is on line {first} already; put the two together")
        if heading not in ("draft", "subject", "intro"):
            # Its stories belong somewhere, so that they are no mistakes as well.
            self._part = Heading(heading)
            self._section = rest if heading == "section" else None
        return False
