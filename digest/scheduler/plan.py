"""The plan: the slots that come, what each of them will have, and what is missing.

It writes nothing.
"""

from collections.abc import Iterable
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
from digest.publishing.editions.build import EditionBuild, Skipped, build_edition
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
    obstacles = [
        *_of_schedule(newsletter, coming),
        *_of_sending(db, settings, newsletter, readers, now),
        *([expected] if isinstance(expected, str) else []),
        *_of_sources(db, settings, newsletter, now),
    ]
    return NewsletterPlan(
        newsletter=newsletter,
        coming=coming,
        days_off=_days_off(newsletter, now, until),
        readers=readers,
        stories=expected if isinstance(expected, int) else None,
        missing=tuple(obstacles),
    )


def _coming(
    db: Database, newsletter: Newsletter, now: datetime, until: datetime
) -> tuple[PlannedSlot, ...]:
    """The open slots, then those that come: within the span, or at least the next one."""
    still_open = slots.still_open(db, newsletter.key)
    coming = {record.slot.name: record.slot for record in still_open if record.slot.at <= until}
    fresh = slots_between(newsletter, now, until)
    if not fresh:
        following = next_slot(newsletter, now)
        fresh = (following,) if following else ()
    coming |= {slot.name: slot for slot in fresh}
    ordered = sorted(coming.values(), key=lambda slot: (slot.at, slot.name))
    return tuple(_slot(db, newsletter, slot) for slot in ordered)


def _slot(db: Database, newsletter: Newsletter, slot: Slot) -> PlannedSlot:
    moments = due_times(db, newsletter, slot)
    first = min(moments.values()) if moments else slot.at
    timing = newsletter.timing
    return PlannedSlot(
        slot=slot,
        first=first,
        last=max(moments.values()) if moments else slot.at,
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
        made: EditionBuild | Skipped = build_edition(
            db, settings, newsletter, now=now, slot=following.slot if following else None
        )
    except DigestError as error:
        return f"the next edition cannot be rendered: {error.message}"
    if isinstance(made, Skipped):
        return f"no edition would be made now: {made.reason}"
    return len(made.edition.stories)


def _of_schedule(newsletter: Newsletter, coming: tuple[PlannedSlot, ...]) -> list[str]:
    if newsletter.schedule is None:
        return [
            "no schedule, so it is sent by hand only: add"
            f' schedule = "weekdays at 07:00" to [newsletters.{newsletter.key}]'
        ]
    return [] if coming else [f"the schedule has no more slots: {newsletter.schedule}"]


def _of_sending(
    db: Database, settings: Settings, newsletter: Newsletter, readers: int, now: datetime
) -> list[str]:
    obstacles = []
    if not settings.site.postal_address.strip():
        obstacles.append(
            "no postal address, without which nothing is sent: set site.postal_address"
        )
    if backup.made_at(db) is not None:
        obstacles.append("the database is a backup: nothing is sent before `digest restored`")
    if not readers:
        obstacles.append("no active readers; `digest subscribers add` or `import` adds some")
    obstacle = blocking_reason(db, newsletter, now)
    if obstacle is not None:
        obstacles.append(f"the next edition has to wait: {obstacle}")
    return obstacles


def _of_sources(
    db: Database, settings: Settings, newsletter: Newsletter, now: datetime
) -> list[str]:
    if not settings.sources:
        return []
    records = sources.everything(db)
    read = [record.last_read_at for record in records if record.last_read_at is not None]
    if not read:
        return ["no source has ever been read: `digest ingest` reads them"]
    last = max(read)
    if now - last <= _UNREAD_AFTER:
        return []
    since = local(last, newsletter.timezone)
    return [f"no source was read for {in_words(now - last)}, since {since}"]
