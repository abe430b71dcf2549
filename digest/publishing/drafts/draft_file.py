"""The draft file: a draft as one text file, for an editor to read and to change.

Whatever comes from outside stands behind a mark of ours (`Subject:`, `[12]`, an indent), and on one
line: nothing that a title says can pass for a part of the file. `draft_file_parser` and
`draft_file_validator` read it back. `describe_slot` says what becomes of the draft, in one line.
"""

import hashlib
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Final

from digest.lib.formatting import weekday
from digest.lib.text import plain
from digest.lib.timestamps import to_text
from digest.model.article import Article
from digest.model.draft import Draft, DraftState
from digest.model.edition import Edition, Placement, Story
from digest.model.newsletter import Newsletter
from digest.model.schedule import OnSilence

INDENT: Final = "    "
_WIDTH: Final = 78
_MARK: Final = "# unedited "

#: How many articles that wait are listed; an editor may add any other by its number.
_WAITING_SHOWN: Final = 40

_HELP: Final = """\
# The lines stand in the order of the edition. [number] and title make a story, the indented lines
# under it are its deck; with a dash it is a headline. A number alone takes the article's own words.
# A line that is removed waits for the next edition; one under Dropped is never sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftFile:
    """What the file shows: a draft as it is now.

    `unusable` says which articles of the draft cannot be in it, and why; `differences` are from
    what was approved, a sentence each.
    """

    draft: Draft
    edition: Edition
    waiting: tuple[Article, ...]
    dropped: tuple[Article, ...]
    unusable: tuple[str, ...] = ()
    differences: tuple[str, ...] = ()


def write(file: DraftFile, newsletter: Newsletter, *, now: datetime) -> str:
    """The file as text, each line ending with a line feed."""
    lines = "\n".join(_lines(file, newsletter, now)) + "\n\n"
    return f"{lines}{_MARK}{_hash(lines)}\n"


def is_unedited(text: str) -> bool:
    """Whether a text is a draft file that nobody has changed, so that nothing is lost with it."""
    lines, mark, digest = text.rpartition(_MARK)
    return bool(mark) and digest.strip() == _hash(lines)


def _hash(lines: str) -> str:
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _lines(file: DraftFile, newsletter: Newsletter, now: datetime) -> Iterator[str]:
    slot = file.draft.slot
    yield f"# {plain(newsletter.title)}, No. {file.edition.number}"
    yield f"# {describe_slot(file.draft, newsletter, now=now)}"
    yield "#"
    yield _HELP
    for reason in file.unusable:
        yield f"# No longer in it: {plain(reason)}"
    yield ""
    yield f"Draft: {slot.newsletter} {slot.name} written {to_text(now)}"
    yield f"Subject: {plain(file.edition.subject)}".rstrip(" ")
    yield ""
    yield "Intro:"
    for number, paragraph in enumerate(file.edition.intro):
        if number:
            yield ""
        yield from _wrapped(paragraph)
    yield from _stories(file.edition.stories)
    yield from _list("Waiting", file.waiting[:_WAITING_SHOWN])
    if len(file.waiting) > _WAITING_SHOWN:
        yield f"# … and {len(file.waiting) - _WAITING_SHOWN} more"
    yield from _list("Dropped", file.dropped)


def _stories(stories: Iterable[Story]) -> Iterator[str]:
    for part, run in groupby(stories, _part):
        yield ""
        yield part
        previous: Story | None = None
        for story in run:
            with_deck = story.placement in (Placement.LEAD, Placement.SECTION)
            if previous is not None and (with_deck or previous.placement is not story.placement):
                yield ""
            yield _line(story.article_id, story.title, dash=not with_deck)
            if with_deck:
                yield from _wrapped(plain(story.deck))
            previous = story


def _part(story: Story) -> str:
    if story.placement in (Placement.LEAD, Placement.RELATED):
        return "Lead:"
    return "No section:" if story.section is None else f"Section: {plain(story.section)}"


def _list(part: str, articles: Iterable[Article]) -> Iterator[str]:
    yield ""
    yield f"{part}:"
    for article in articles:
        yield _line(article.id, article.title, dash=True)


def _line(article_id: int, title: str, *, dash: bool) -> str:
    return f"{'- ' if dash else ''}[{article_id}] {plain(title)}".rstrip(" ")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        width=_WIDTH,
        initial_indent=INDENT,
        subsequent_indent=INDENT,
        break_long_words=False,
        break_on_hyphens=False,
    )


def describe_slot(draft: Draft, newsletter: Newsletter, *, now: datetime) -> str:
    """`Thu 2026-03-12 07:00 (Europe/London): if nobody has approved it by then, it waits`."""
    if newsletter.schedule is None:
        return _by_hand(draft, newsletter)
    local = draft.slot.at.astimezone(newsletter.timezone)
    when = f"{weekday(local)} {local:%Y-%m-%d %H:%M} ({newsletter.timezone.key})"
    late = now >= draft.slot.at
    passed = ", which has passed" if late else ""
    return f"{when}{passed}: {_by_schedule(draft, newsletter, late=late)}"


def _by_hand(draft: Draft, newsletter: Newsletter) -> str:
    match draft.state:
        case DraftState.APPROVED:
            return "approved; `digest send` sends it"
        case DraftState.HELD:
            return "held until it is approved"
        case DraftState.WAITING if newsletter.timing.approval:
            return "once it is approved, `digest send` sends it"
        case DraftState.WAITING:
            return "`digest send` sends it"


def _by_schedule(draft: Draft, newsletter: Newsletter, *, late: bool) -> str:
    if draft.state is DraftState.APPROVED:
        return f"approved; it is sent {'at once' if late else 'then'}"
    if late:
        return "it waits until it is approved"
    if draft.state is DraftState.HELD:
        return "held until it is approved"
    if not newsletter.timing.approval:
        return "it is sent then; nobody has to approve it"
    match newsletter.timing.on_silence:
        case OnSilence.SEND:
            return "it is sent then, unless somebody holds it"
        case OnSilence.HOLD:
            return "if nobody has approved it by then, it waits"
        case OnSilence.SKIP:
            return "if nobody has approved it by then, the slot is skipped"
