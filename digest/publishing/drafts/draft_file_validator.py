"""Validating a draft file: what the editor made of the draft, or everything that is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import pairwise
from typing import Final

from digest.composer.context import DECK, LEAD_DECK
from digest.composer.render import MAX_SUBJECT_LENGTH
from digest.lib.text import plain
from digest.lib.timestamps import from_text
from digest.model.draft import DraftContents, DraftItem
from digest.model.edition import Placement
from digest.model.newsletter import Newsletter
from digest.publishing.drafts.draft_file import DraftFile
from digest.publishing.drafts.draft_file_parser import (
    DraftFileError,
    Heading,
    Line,
    ParsedDraftFile,
)
from digest.publishing.drafts.resolve import unusable_reason
from digest.selection.placement import deck_of
from digest.storage.drafts import ArticleStatus

#: Characters, of what an editor writes anew. What is longer stands in nobody's way in a mail.
LONGEST_TITLE: Final = 300
LONGEST_SECTION: Final = 100
LONGEST_INTRO: Final = 2_000

_IN_IT = (Heading.LEAD, Heading.SECTION, Heading.NO_SECTION)


@dataclass(frozen=True)
class Validation:
    """An edited file, compared with the `file` of the draft as it is and the articles it names."""

    parsed: ParsedDraftFile
    file: DraftFile
    newsletter: Newsletter
    statuses: Mapping[int, ArticleStatus]
    cutoff: datetime

    def result(self) -> DraftContents | tuple[DraftFileError, ...]:
        """The contents of the draft by its file, or all errors in the order of their lines."""
        errors = {*self.parsed.errors, *self._errors()}
        if errors:
            return tuple(sorted(errors, key=lambda error: (error.line, error.message)))
        return self._contents()

    @cached_property
    def _placed(self) -> Mapping[int, DraftItem]:
        return {item.article_id: item for item in self.file.draft.contents.placed}

    @property
    def _written_at(self) -> datetime | None:
        words = self.parsed.draft[1].split() if self.parsed.draft else []
        try:
            return from_text(words[3])
        except (IndexError, ValueError):
            return None

    def _errors(self) -> Iterator[DraftFileError]:
        if not self.parsed.lines and self.parsed.errors:
            return  # it could not be read at all, and that is reported
        yield from self._draft_line()
        yield from self._articles()
        yield from self._places()
        yield from self._words()

    def _contents(self) -> DraftContents:
        lines = self.parsed.lines
        return DraftContents(
            placed=tuple(self._item(line) for line in lines if line.part in _IN_IT),
            dropped=tuple(line.article_id for line in lines if line.part is Heading.DROPPED),
            subject=self._subject,
            intro=self._intro,
            edited=True,
        )

    @property
    def _intro(self) -> tuple[str, ...]:
        return tuple(text for lines in self.parsed.intro if (text := plain(" ".join(lines))))

    @property
    def _subject(self) -> str | None:
        written = self.parsed.subject[1] if self.parsed.subject else ""
        # As it was shown, it stays what it was: the template's follows another lead.
        if written and written == plain(self.file.edition.subject):
            return self.file.draft.contents.subject
        return written or None

    # --- what is wrong ---

    def _draft_line(self) -> Iterator[DraftFileError]:
        slot = self.file.draft.slot
        expected = f"{slot.newsletter} {slot.name}"
        if self.parsed.draft is None:
            yield _error(1, f"the line `Draft: {expected} …` is missing")
            return
        number, text = self.parsed.draft
        if " ".join(text.split()[:2]) != expected:
            yield _error(number, f"this file is of another draft; expected {expected}")
        elif self._written_at is None:
            yield _error(number, "the line does not say when the file was written")

    def _articles(self) -> Iterator[DraftFileError]:
        first: dict[int, int] = {}
        for line in self.parsed.lines:
            earlier = first.setdefault(line.article_id, line.number)
            if earlier != line.number:
                yield _error(line.number, f"article {line.article_id} is on line {earlier} already")
            elif reason := self._obstacle(line):
                yield _error(line.number, reason)

    def _obstacle(self, line: Line) -> str:
        status = self.statuses.get(line.article_id)
        reason = unusable_reason(status, line.article_id, self.newsletter, self.cutoff)
        if status is None or line.part in _IN_IT:
            return reason
        return reason if line.part is Heading.DROPPED and status.edition is not None else ""

    def _places(self) -> Iterator[DraftFileError]:
        inside = [line for line in self.parsed.lines if line.part in _IN_IT]
        if not inside:
            yield _error(1, "no story is left; `digest skip` leaves the slot out")
            return
        leading = [line for line in inside if line.part is Heading.LEAD]
        if not leading:
            yield _error(inside[0].number, "there is no lead: put one story under `Lead:`")
        elif inside[0] is not leading[0]:
            yield _error(leading[0].number, "`Lead:` comes first, before all sections")
        for line in leading[:1]:
            if line.headline:
                yield _error(line.number, "the lead comes first, and has no dash before it")
        for line in leading[1:]:
            if not (line.headline or leading[0].headline):
                yield _error(
                    line.number, "one story leads; those related to it have a dash before them"
                )
        yield from self._decks_below_headlines(inside)

    def _decks_below_headlines(self, inside: Sequence[Line]) -> Iterator[DraftFileError]:
        for above, line in pairwise(inside):
            same = (above.part, above.section) == (line.part, line.section)
            if same and line.part is not Heading.LEAD and above.headline and not line.headline:
                yield _error(
                    line.number,
                    "the stories of a section come before its headlines; move this one up, or put a"
                    " dash before it",
                )

    def _words(self) -> Iterator[DraftFileError]:
        for line in self.parsed.lines:
            if line.part not in _IN_IT or line.article_id not in self.statuses:
                continue
            yield from self._own_words(line)
            if line.section and line.section not in self._sections:
                yield from _too_long(line.number, "section", line.section, LONGEST_SECTION)
        number, subject = self.parsed.subject or (0, "")
        if subject != plain(self.file.edition.subject):
            yield from _too_long(number, "subject", subject, MAX_SUBJECT_LENGTH)
        yield from _too_long(self.parsed.intro_line, "intro", " ".join(self._intro), LONGEST_INTRO)

    @property
    def _sections(self) -> frozenset[str | None]:
        """Those that were there before; only what an editor writes anew has a limit."""
        return frozenset(item.section for item in self._placed.values())

    def _own_words(self, line: Line) -> Iterator[DraftFileError]:
        title, deck = self._title(line), self._deck(line)
        before = self._placed.get(line.article_id)
        new_title = title is not None and (before is None or title != before.title)
        new_deck = deck is not None and (before is None or deck != before.deck)
        if (new_title or new_deck) and self._is_stale(line):
            yield _error(
                line.number,
                f"article {line.article_id} was corrected after this file was written; a line"
                f" `[{line.article_id}]` alone takes its words as they are now",
            )
        if title is not None and new_title:
            yield from _too_long(line.number, "title", title, LONGEST_TITLE)
        if deck is not None and new_deck:
            most = LEAD_DECK if line.part is Heading.LEAD else DECK
            yield from _too_long(line.number, "deck", deck, most)

    def _is_stale(self, line: Line) -> bool:
        """Whether what differs from the article may be the article's own words from before."""
        edited, written = self.statuses[line.article_id].article.edited_at, self._written_at
        return edited is not None and written is not None and edited > written

    # --- what the lines make ---

    def _item(self, line: Line) -> DraftItem:
        return DraftItem(
            article_id=line.article_id,
            placement=_placement(line),
            section=line.section,
            title=self._title(line),
            deck=self._deck(line),
        )

    def _title(self, line: Line) -> str | None:
        """The editor's own title; None where it is the article's."""
        article = self.statuses[line.article_id].article
        return None if line.title in ("", plain(article.title)) else line.title

    def _deck(self, line: Line) -> str | None:
        """The editor's own deck; None where it is the article's, or none is shown."""
        deck = plain(" ".join(line.deck))
        if line.headline or not (line.title or deck):
            return None
        article = self.statuses[line.article_id].article
        return None if deck == plain(deck_of(article.summary, article.title)) else deck


def _placement(line: Line) -> Placement:
    if line.part is Heading.LEAD:
        return Placement.RELATED if line.headline else Placement.LEAD
    return Placement.HEADLINE if line.headline else Placement.SECTION


def _error(line: int, message: str) -> DraftFileError:
    return DraftFileError(line=line, message=message)


def _too_long(line: int, name: str, text: str, most: int) -> Iterator[DraftFileError]:
    if len(text) > most:
        yield _error(
            line, f"the {name} has {len(text):,} characters, and at most {most:,} are shown"
        )
