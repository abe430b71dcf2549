"""Simulation: the editions that a newsletter's rules would have made of the articles there are.

Slot after slot is replayed by the code of real editions, on a database in memory
(`storage.sandbox`), so the triggers and the rule that nothing repeats hold there, too. Articles
come at the time of their publication, because nobody knows when changed rules would have seen them
first. Every draft goes out as it is, every slot is kept, and nothing is written.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Final

from digest.config import Settings
from digest.errors import UsageError
from digest.lib.formatting import in_words
from digest.model.article import Decision, Verdict
from digest.model.edition import Edition, Story
from digest.model.newsletter import Newsletter
from digest.model.schedule import DeliverAt
from digest.model.slot import Slot
from digest.publishing.drafts.resolve import NothingLeft, ResolvedDraft, contents_of, resolve
from digest.publishing.editions.build import too_few
from digest.publishing.editions.due_times import wall_times_in
from digest.schedule.timetable import slots_after
from digest.selection import TooFew, select
from digest.storage import edition_store
from digest.storage.candidates import candidates
from digest.storage.database import Access, Database, open_database
from digest.storage.edition_store import NewEdition
from digest.storage.sandbox import Count, counts, in_reach, sandbox
from digest.storage.subscriptions import zones


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSlot:
    """A slot with the edition that it would have had, or with the `reason` why it has none.

    After it so many articles would have been `waiting`; with it `went_too_old` while they waited,
    and `duplicates` were found. `number` is None without an edition.
    """

    slot: Slot
    waiting: int
    number: int | None = None
    stories: tuple[Story, ...] = ()
    reason: str = ""
    went_too_old: int = 0
    duplicates: int = 0
    is_day_off: bool = False

    @property
    def sections(self) -> Counter[str | None]:
        """How many stories each section has; the lead counts with its own."""
        return Counter(story.topic for story in self.stories)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedTime:
    """A slot, the cutoff of its edition, and when that is put together: a draft is, before it."""

    slot: Slot
    cutoff: datetime
    made_at: datetime


class Replay:
    """Slot after slot in a sandbox; `too_old` counts why articles waited in vain."""

    def __init__(self, db: Database, newsletter: Newsletter) -> None:
        self._db = db
        self._newsletter = newsletter
        self._number = 0
        self._waiting: dict[int, str] = {}
        self.too_old: Counter[str] = Counter()

    def slot(self, moment: SimulatedTime) -> SimulatedSlot:
        """What becomes of a slot."""
        newsletter, slot = self._newsletter, moment.slot
        if newsletter.schedule and slot.wall.date() in newsletter.schedule.days_off:
            return replace(self._none(slot, "a day off"), is_day_off=True)
        since = moment.cutoff - newsletter.rules.max_age
        eligible = candidates(self._db, newsletter.key, since=since, cutoff=moment.made_at)
        selection = select(eligible.articles, newsletter.rules, cutoff=moment.cutoff)
        if isinstance(selection, TooFew):
            reason = too_few(self._db, newsletter, selection, moment.made_at).reason
            return SimulatedSlot(slot=slot, reason=reason, waiting=selection.found)
        number = self._number + 1
        edition = Edition.new(
            newsletter,
            slot.name,
            selection.stories,
            number=number,
            cutoff=moment.cutoff,
            subject=selection.stories[0].title,
            nonce=str(number),
        )
        new = NewEdition(
            edition=edition, decisions=selection.decisions, last_article_id=eligible.last_article_id
        )
        if newsletter.timing.approval:
            content = self._at_its_hour(edition, moment)
            if isinstance(content, NothingLeft):
                return self._none(slot, f"nothing is left: {'; '.join(content.unusable.values())}")
            new = replace(content.new, last_article_id=eligible.last_article_id)
            left = len(new.edition.stories)
            if left < newsletter.rules.min_items:
                few = TooFew(found=left, needed=newsletter.rules.min_items)
                return self._none(slot, too_few(self._db, newsletter, few, moment.cutoff).reason)
        edition_store.store(self._db, new, now=moment.made_at)
        self._number = number
        went_too_old = self._given_up(new.decisions)
        return SimulatedSlot(
            slot=slot,
            number=number,
            stories=new.edition.stories,
            waiting=len(self._waiting),
            went_too_old=went_too_old,
            duplicates=sum(each.verdict is Verdict.DUPLICATE for each in new.decisions),
        )

    def _at_its_hour(self, edition: Edition, moment: SimulatedTime) -> ResolvedDraft | NothingLeft:
        """What a draft is when its slot comes; what came after it was made is decided on then."""
        # With a subject of its own none has to be rendered.
        proposal = replace(contents_of(edition), subject=edition.subject)
        return resolve(
            self._db,
            self._newsletter,
            moment.slot,
            proposal,
            cutoff=moment.cutoff,
            nonce=lambda: edition.nonce,
        )

    def _none(self, slot: Slot, reason: str) -> SimulatedSlot:
        return SimulatedSlot(slot=slot, reason=reason, waiting=len(self._waiting))

    def _given_up(self, decisions: Sequence[Decision]) -> int:
        """Record what waits, and why those waited that do so no more; returns how many."""

        def reasons(verdict: Verdict) -> dict[int, str]:
            return {each.article_id: each.reason for each in decisions if each.verdict is verdict}

        before, self._waiting = self._waiting, reasons(Verdict.WAITING)
        given_up = reasons(Verdict.TOO_OLD).keys() & before.keys()
        self.too_old.update(before[id_] for id_ in given_up)
        return len(given_up)


#: More slots than this take minutes to replay, and nobody reads them.
MOST_SLOTS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedArticles:
    """So many articles were in no edition, and `why`, as a sentence."""

    why: str
    articles: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulation:
    """The slots later than `begin` and not later than `until`, in order, and what is left over.

    `articles` were in reach, besides the `decided_before` that earlier editions had or ruled out.
    """

    newsletter: Newsletter
    begin: datetime
    until: datetime
    articles: int
    decided_before: int
    slots: tuple[SimulatedSlot, ...]
    unsent: tuple[UnusedArticles, ...]

    @property
    def editions(self) -> tuple[SimulatedSlot, ...]:
        """The slots that have an edition."""
        return tuple(slot for slot in self.slots if slot.stories)

    @property
    def days_off(self) -> int:
        """How many slots fell on a day off."""
        return sum(slot.is_day_off for slot in self.slots)


def simulate(
    settings: Settings, newsletter: Newsletter, *, begin: datetime, until: datetime
) -> Simulation:
    """The editions of the slots in `(begin, until]` by the rules and schedule of `newsletter`.

    Editions of the ledger up to `begin` are facts: what they had is in none of these. Raises
    UsageError for more than MOST_SLOTS slots, and StorageError.
    """
    max_age = newsletter.rules.max_age
    slots = _slots(newsletter, begin, until)
    with open_database(settings.database, Access.READ) as real:
        by_reader = newsletter.timing.deliver_at is DeliverAt.READER
        names = zones(real, newsletter.key) if by_reader else ()
        moments = [_moment(newsletter, slot, names) for slot in slots]
        cutoffs = [moment.cutoff for moment in moments] or [begin]
        since, horizon = min(cutoffs) - max_age, max(cutoffs) - max_age
        there = in_reach(real, since, until)
        with sandbox(real, newsletter.key, since=since, begin=begin, until=until) as db:
            articles = in_reach(db, since, until)
            replay = Replay(db, newsletter)
            simulated = tuple(map(replay.slot, moments))
            totals = counts(db, newsletter.key, since=since, until=until, horizon=horizon)
    return Simulation(
        newsletter=newsletter,
        begin=begin,
        until=until,
        articles=articles,
        decided_before=there - articles,
        slots=simulated,
        unsent=_unsent(newsletter, totals, replay.too_old),
    )


def _unsent(
    newsletter: Newsletter, totals: Sequence[Count], in_vain: Counter[str]
) -> tuple[UnusedArticles, ...]:
    unsent: Counter[str] = Counter()
    for total in totals:
        if total.verdict is not Verdict.CHOSEN:
            unsent[_why(total.verdict, total.reason, newsletter)] += total.articles
    # Of those that an edition found too old, it is known why they had waited.
    for reason, number in in_vain.items():
        unsent[_why(Verdict.TOO_OLD, reason, newsletter)] += number
    unsent[_why(Verdict.TOO_OLD, "", newsletter)] -= in_vain.total()
    return tuple(
        UnusedArticles(why=why, articles=number)
        for why, number in sorted(unsent.items(), key=lambda item: (-item[1], item[0]))
        if number
    )


def _slots(newsletter: Newsletter, begin: datetime, until: datetime) -> Sequence[Slot]:
    """The slots of a span, those on days off included."""
    if newsletter.schedule is not None:
        schedule = replace(newsletter.schedule, days_off=frozenset())
        newsletter = replace(newsletter, schedule=schedule)
    coming = takewhile(lambda slot: slot.at <= until, slots_after(newsletter, begin))
    slots = tuple(islice(coming, MOST_SLOTS + 1))
    if len(slots) > MOST_SLOTS:
        raise UsageError(
            f"{newsletter.key} has more than {MOST_SLOTS:,} slots in this time",
            hint="Choose fewer weeks; the first of them show what the rules do.",
        )
    return slots


def _moment(newsletter: Newsletter, slot: Slot, names: Sequence[str]) -> SimulatedTime:
    """The edition is there for the first of its readers, and its draft for the editor."""
    timing = newsletter.timing
    cutoff = min(wall_times_in(newsletter, slot, names).values())
    lead_time = timing.lead_time if timing.approval else timedelta(0)
    return SimulatedTime(slot=slot, cutoff=cutoff, made_at=cutoff - lead_time)


def _why(verdict: Verdict | None, reason: str, newsletter: Newsletter) -> str:
    """Why an article was in no edition, in the same words for all of one kind."""
    match verdict:
        case None:
            return "not decided: no edition came after it"
        case Verdict.WAITING:
            return f"still waits: {reason}"
        case Verdict.DUPLICATE:
            return "same headline as another article"
        case Verdict.TOO_OLD if reason:
            return f"became too old while it waited: {reason}"
        case Verdict.TOO_OLD:
            limit = in_words(newsletter.rules.max_age)
            return f"older than {limit} (max_age) when the next edition came"
        case Verdict.EXPIRED:
            return "expired before an edition came"
        case Verdict.WITHDRAWN:
            return "withdrawn"
        case Verdict.DROPPED:
            return verdict.with_reason(reason)
        case _:
            return reason
