"""Replay: slot after slot of a newsletter, each with the edition it would have had, or without.

It works in a scratch database, by the code that real editions are made with.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from digest.model.article import Decision, Verdict
from digest.model.edition import Edition, Story
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot
from digest.publishing.drafts.resolve import NothingLeft, Proposed, proposal_of, proposed
from digest.publishing.editions.build import too_few
from digest.selection import TooFew, select
from digest.storage import edition_store
from digest.storage.candidates import candidates
from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSlot:
    """What a slot would have come to: an edition, or the `reason` why there is none.

    After it so many articles would have been `waiting`; with it `went_too_old` gave up waiting, and
    `duplicates` were found. `number` is None without an edition.
    """

    slot: Slot
    number: int | None
    stories: tuple[Story, ...]
    reason: str
    waiting: int
    went_too_old: int
    duplicates: int
    is_day_off: bool = False

    @property
    def sections(self) -> Counter[str | None]:
        """How many stories each section has; the lead counts with its own."""
        return Counter(story.topic for story in self.stories)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A slot, the cutoff of its edition, and when that is put together: a draft is, before it."""

    slot: Slot
    cutoff: datetime
    made_at: datetime


class Replay:
    """Slot after slot in a scratch database; `too_old` counts why articles waited in vain."""

    def __init__(self, db: Database, newsletter: Newsletter) -> None:
        self._db = db
        self._newsletter = newsletter
        self._number = 0
        self._waiting: dict[int, str] = {}
        self.too_old: Counter[str] = Counter()

    def slot(self, moment: Moment) -> SimulatedSlot:
        """What becomes of a slot."""
        newsletter, slot = self._newsletter, moment.slot
        if newsletter.schedule and slot.wall.date() in newsletter.schedule.days_off:
            return self._none(slot, "a day off", is_day_off=True)
        since = moment.cutoff - newsletter.rules.max_age
        found = candidates(self._db, newsletter.key, since=since, cutoff=moment.made_at)
        selection = select(found.articles, newsletter.rules, cutoff=moment.cutoff)
        if isinstance(selection, TooFew):
            reason = too_few(self._db, newsletter, selection, moment.made_at).reason
            return self._none(slot, reason, waiting=selection.found)
        self._number += 1
        edition = Edition(
            newsletter=newsletter.key,
            slot=slot.name,
            number=self._number,
            since=since,
            cutoff=moment.cutoff,
            nonce=str(self._number),
            subject=selection.stories[0].title,
            stories=selection.stories,
        )
        decisions = selection.decisions
        if newsletter.timing.approval:
            content = self._at_its_hour(edition, moment)
            if isinstance(content, NothingLeft):
                self._number -= 1
                return self._none(slot, f"nothing is left: {'; '.join(content.gone.values())}")
            edition, decisions = content.edition, content.decisions
            if len(edition.stories) < newsletter.rules.min_items:
                self._number -= 1
                few = TooFew(found=len(edition.stories), needed=newsletter.rules.min_items)
                return self._none(slot, too_few(self._db, newsletter, few, moment.cutoff).reason)
        edition_store.store(
            self._db,
            edition,
            decisions=decisions,
            variants=(),
            audience=(),
            images={},
            last_article_id=found.last_article_id,
            now=moment.made_at,
        )
        went_too_old = self._given_up(decisions)
        return SimulatedSlot(
            slot=slot,
            number=self._number,
            stories=edition.stories,
            reason="",
            waiting=len(self._waiting),
            went_too_old=went_too_old,
            duplicates=sum(one.verdict is Verdict.DUPLICATE for one in decisions),
        )

    def _at_its_hour(self, edition: Edition, moment: Moment) -> Proposed | NothingLeft:
        """What a draft is when its slot comes; what came after it was made is decided on then."""
        # With a subject of its own none has to be rendered.
        proposal = replace(proposal_of(edition), subject=edition.subject)
        return proposed(
            self._db,
            self._newsletter,
            moment.slot,
            proposal,
            cutoff=moment.cutoff,
            nonce=lambda: edition.nonce,
        )

    def _none(
        self, slot: Slot, reason: str, *, waiting: int | None = None, is_day_off: bool = False
    ) -> SimulatedSlot:
        return SimulatedSlot(
            slot=slot,
            number=None,
            stories=(),
            reason=reason,
            waiting=len(self._waiting) if waiting is None else waiting,
            went_too_old=0,
            duplicates=0,
            is_day_off=is_day_off,
        )

    def _given_up(self, decisions: Sequence[Decision]) -> int:
        """Take note of what waits, and of why those waited that do so no more."""
        before, self._waiting = self._waiting, dict(_reasons(decisions, Verdict.WAITING))
        gone = dict(_reasons(decisions, Verdict.TOO_OLD)).keys() & before.keys()
        self.too_old.update(before[id_] for id_ in gone)
        return len(gone)


def _reasons(decisions: Sequence[Decision], verdict: Verdict) -> Iterator[tuple[int, str]]:
    return ((one.article_id, one.reason) for one in decisions if one.verdict is verdict)
