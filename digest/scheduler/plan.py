"""The plan: the slots that come, what each of them will have, and what is missing.

It writes nothing.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from digest.config import Settings
from digest.errors import DigestError
from digest.lib.formatting import in_words, local
from digest.model.draft import Draft
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot, SlotRecord
from digest.model.subscriber import MembershipStatus
from digest.publishing.editions.build import Skipped, build_edition
from digest.publishing.editions.due_times import due_times
from digest.schedule.timetable import next_slot, slots_between
from digest.scheduler.process_slot import blocking_reason
from digest.storage import backup, drafts, slots, sources, subscriptions
from digest.storage.database import Access, Database, open_database
from digest.storage.locks import Lease

#: Sources that were not read for so long are reported as missing.
_UNREAD_AFTER: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedSlot:
    """A slot that comes, or has come and is still open.

    It has a `record` and a `draft` if it was processed already; `draft_at` is when its draft is
    made. The first reader is due at `first`, the last one at `last`.
    """

    slot: Slot
    first: datetime
    last: datetime
    draft_at: datetime | None = None
    record: SlotRecord | None = None
    draft: Draft | None = None

    @property
    def open(self) -> bool:
        """Whether it has neither an edition nor a reason yet."""
        return self.record is None or self.record.state.is_open


@dataclass(frozen=True, slots=True, kw_only=True)
class NewsletterPlan:
    """What comes for one newsletter.

    `days_off` are those within the span that would have had slots. `readers` counts who is active
    now, `stories` what the next slot would have if it were now; None where there would be no
    edition. `missing` are sentences.
    """

    newsletter: Newsletter
    coming: tuple[PlannedSlot, ...]
    days_off: tuple[date, ...]
    readers: int
    stories: int | None
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What comes, newsletter by newsletter; `service` names the `digest run` that is running."""

    newsletters: tuple[NewsletterPlan, ...]
    service: str | None


def plan(
    settings: Settings, newsletters: Iterable[Newsletter], *, now: datetime, days: int
) -> Plan:
    """The slots of the next `days`, and the next one even if it is later."""
    until = now + timedelta(days=days)
    with open_database(settings.database, Access.READ) as db:
        return Plan(
            newsletters=tuple(_planned(db, settings, each, now, until) for each in newsletters),
            service=Lease(settings.database).current_holder(),
        )


def _planned(
    db: Database, settings: Settings, newsletter: Newsletter, now: datetime, until: datetime
) -> NewsletterPlan:
    coming = _coming(db, newsletter, now, until)
    readers = subscriptions.counts(db, newsletter.key)[MembershipStatus.ACTIVE]
    expected = _expected(db, settings, newsletter, coming, now)
    return NewsletterPlan(
        newsletter=newsletter,
        coming=coming,
        days_off=_days_off(newsletter, now, until),
        readers=readers,
        stories=expected if isinstance(expected, int) else None,
        missing=tuple(_missing(db, settings, newsletter, coming, readers, expected, now)),
    )


def _coming(
    db: Database, newsletter: Newsletter, now: datetime, until: datetime
) -> tuple[PlannedSlot, ...]:
    """The open slots, then those that come: within the span, or at least the next one."""
    still_open = slots.still_open(db, newsletter.key)
    coming = {record.slot.name: record.slot for record in still_open if record.slot.at <= until}
    fresh = slots_between(newsletter, now, until) or [next_slot(newsletter, now)]
    coming |= {slot.name: slot for slot in fresh if slot is not None}
    ordered = sorted(coming.values(), key=lambda slot: (slot.at, slot.name))
    return tuple(_slot(db, newsletter, slot) for slot in ordered)


def _slot(db: Database, newsletter: Newsletter, slot: Slot) -> PlannedSlot:
    moments = (due_times(db, newsletter, slot) or {"": slot.at}).values()
    first, timing = min(moments), newsletter.timing
    return PlannedSlot(
        slot=slot,
        first=first,
        last=max(moments),
        draft_at=first - timing.lead_time if timing.approval else None,
        record=slots.find(db, newsletter.key, slot.name),
        draft=drafts.find(db, slot),
    )


def _days_off(newsletter: Newsletter, now: datetime, until: datetime) -> tuple[date, ...]:
    schedule = newsletter.schedule
    if schedule is None:
        return ()
    begin, end = (at.astimezone(newsletter.timezone).date() for at in (now, until))
    return tuple(
        day
        for day in sorted(schedule.days_off)
        if begin <= day <= end and any(rule.times_on(day) for rule in schedule.rules)
    )


def _expected(
    db: Database,
    settings: Settings,
    newsletter: Newsletter,
    coming: tuple[PlannedSlot, ...],
    now: datetime,
) -> int | str:
    """How many stories the next slot would have now, or why it would have no edition."""
    following = next((planned for planned in coming if planned.open), None)
    if following is not None and following.draft is not None:
        return len(following.draft.contents.placed)
    try:
        slot = following.slot if following else None
        build = build_edition(db, settings, newsletter, now=now, slot=slot)
    except DigestError as error:
        return f"the next edition cannot be rendered: {error.message}"
    if isinstance(build, Skipped):
        return f"no edition would be made now: {build.reason}"
    return len(build.edition.stories)


def _missing(
    db: Database,
    settings: Settings,
    newsletter: Newsletter,
    coming: tuple[PlannedSlot, ...],
    readers: int,
    expected: int | str,
    now: datetime,
) -> Iterator[str]:
    """What keeps the newsletter from going out, a sentence each."""
    if newsletter.schedule is None:
        yield (
            "no schedule, so it is sent by hand only: add"
            f' schedule = "weekdays at 07:00" to [newsletters.{newsletter.key}]'
        )
    elif not coming:
        yield f"the schedule has no more slots: {newsletter.schedule}"
    if not settings.site.postal_address.strip():
        yield "no postal address, without which nothing is sent: set site.postal_address"
    if backup.made_at(db) is not None:
        yield "the database is a backup: nothing is sent before `digest restored`"
    if not readers:
        yield "no active readers; `digest subscribers add` or `import` adds some"
    if obstacle := blocking_reason(db, newsletter, now):
        yield f"the next edition has to wait: {obstacle}"
    if isinstance(expected, str):
        yield expected
    if settings.sources:
        yield from _unread_sources(db, newsletter, now)


def _unread_sources(db: Database, newsletter: Newsletter, now: datetime) -> Iterator[str]:
    read = (source.last_read_at for source in sources.records(db))
    last = max(filter(None, read), default=None)
    if last is None:
        yield "no source has ever been read: `digest ingest` reads them"
    elif now - last > _UNREAD_AFTER:
        since = local(last, newsletter.timezone)
        yield f"no source was read for {in_words(now - last)}, since {since}"
