"""400 days of a newsletter, in zones where clocks do strange things, killed again and again."""

import os
import random
import shutil
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest

from digest.config import Settings
from digest.lib.timestamps import from_text, to_text
from digest.model.schedule import CatchUp, DeliverAt, Timing
from digest.model.slot import SlotState
from digest.publishing.maintenance import audit
from digest.schedule.parse import parse_schedule
from digest.schedule.timetable import slots_between
from digest.scheduler.events import Event
from digest.scheduler.tick import tick
from digest.storage import slots
from digest.storage.database import Access, open_database
from tests.faults.mortal import Entry, Mailbox, Mortality, expectations, live, read_book
from tests.publishing.paper import Paper, paper_in

DAYS = 400
BEGIN = datetime(2025, 9, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=DAYS)

#: Half an hour of summer time, a date line, three quarters of an hour off: and two ordinary ones.
YEARS = {
    "America/New_York": (["daily at 02:30"], Timing()),
    "Europe/London": (
        ["mondays, tuesdays and sundays at 01:30"],
        Timing(deliver_at=DeliverAt.READER),
    ),
    "Asia/Kathmandu": (["weekdays at 06:15", "saturdays at 18:45"], Timing(catch_up=CatchUp.SKIP)),
    "Pacific/Apia": (["daily at 00:00"], Timing(catch_up=CatchUp.REPLAY)),
    "Australia/Lord_Howe": (
        ["daily at 02:15"],
        Timing(deliver_at=DeliverAt.READER, max_lateness=timedelta(hours=20)),
    ),
}

READERS = {
    "ada@example.com": None,
    "bob@example.com": "America/Los_Angeles",
    "eve@example.com": "Pacific/Auckland",
}


def newspaper(folder: Path, zone: str, dice: random.Random) -> Paper:
    """A paper with its schedule, three readers, and a year of articles: on some days none."""
    lines, timing = YEARS[zone]
    paper = paper_in(folder)
    newsletter = replace(
        paper.newsletter,
        timezone=ZoneInfo(zone),
        schedule=parse_schedule(lines),
        timing=timing,
        rules=replace(paper.newsletter.rules, min_items=2),
    )
    paper = Paper(replace(paper.settings, newsletters={"daily": newsletter}))
    plain = folder / "templates" / "email"
    plain.mkdir(parents=True)
    # Rendering is not what is tried here, and it is what takes the time.
    (plain / "digest.html").write_text(
        "<!DOCTYPE html><html><body><p>{{ lead.title }}</p>"
        '<a href="{{ reader.unsubscribe_url }}">Unsubscribe</a></body></html>'
    )
    paper.subscribe(*READERS)
    with open_database(paper.settings.database) as db, db.transaction():
        for email, own in READERS.items():
            db.execute("update subscribers set timezone = ? where email = ?", (own, email))
        for day in range(DAYS):
            for n in range(dice.choice((0, 1, 2, 3, 3))):
                at = to_text(BEGIN + timedelta(days=day, seconds=dice.randrange(86_400)))
                url = f"https://gazette.example/{day}/{n}"
                db.execute(
                    "insert into articles (identity, source, url, canonical_url, title,"
                    " published_at, first_seen_at) values (?1, 'wire', ?1, ?1, ?2, ?3, ?3)",
                    (url, f"What happened on day {day}, part {n}", at),
                )
    return paper


def moments(settings: Settings, dice: random.Random) -> list[datetime]:
    """When the service ticks in these days: at each slot and each reader's hour, and in between."""
    newsletter = settings.newsletter(None)
    times = {BEGIN, END + timedelta(hours=36)}
    zones = [ZoneInfo(zone) for zone in READERS.values() if zone]
    for slot in slots_between(newsletter, BEGIN, END):
        times.add(slot.at + timedelta(seconds=dice.choice((0, 0, 0, 4, 40))))
        if dice.random() < 0.2:
            times.update(slot.at + timedelta(minutes=n) for n in (-1, 31))
        if newsletter.timing.deliver_at is DeliverAt.READER:
            times.update(slot.wall.replace(tzinfo=zone).astimezone(UTC) for zone in zones)
    return sorted(times)


def live_on(
    paper: Paper, ticks: list[datetime], book: Path, seen: Path, mortality: Mortality
) -> None:
    """Tick through what is left of the year; `seen` remembers how far somebody came."""
    begin = from_text(seen.read_text())
    for moment in ticks:
        if moment < begin:
            continue
        seen.write_text(to_text(moment))
        tick(
            paper.settings,
            now=moment,
            clock=partial(_the_same, moment),
            transport=lambda: Mailbox(book, mortality),
            on_event=_nobody_listens,
        )


def _the_same(moment: datetime) -> datetime:
    return moment


def _nobody_listens(event: Event) -> None:
    """The log of a process that is about to die is of no use."""


def assert_every_slot_has_its_end(paper: Paper) -> None:
    """From the first one on record to the last one that came: an edition, or a reason."""
    newsletter = paper.newsletter
    with open_database(paper.settings.database, Access.READ) as db:
        records = slots.recent(db, newsletter.key, 10_000)[::-1]
        until = slots.recorded_until(db, newsletter.key)
    assert until is not None
    assert until > END - timedelta(days=4)
    since = records[0].slot.at - timedelta(seconds=1)
    assert [r.slot for r in records] == list(slots_between(newsletter, since, until))
    assert since < BEGIN + timedelta(days=10)
    for record in records:
        match record.state:
            case SlotState.PREPARED:
                assert record.edition_id is not None
            case SlotState.SKIPPED:
                assert record.reason
            case _:
                raise AssertionError(f"{record} is neither prepared nor skipped")


_EDITIONS = """
select e.nonce, d.id, s.email, d.state, d.due_at
from deliveries d
join editions e on e.id = d.edition_id
join subscribers s on s.id = d.subscriber_id
"""


def assert_nobody_has_an_edition_twice(paper: Paper, book: Path, *, deaths: int) -> int:
    """The server's book and the ledger agree; how many editions readers have."""
    taken = read_book(book)
    assert not [entry for entry, times in taken.items() if times > 1]
    by_state: dict[str, set[Entry]] = defaultdict(set)
    with open_database(paper.settings.database, Access.READ) as db:
        for row in db.rows(_EDITIONS):
            entry = Entry(nonce=row["nonce"], delivery_id=row["id"], reader=row["email"])
            by_state[row["state"]].add(entry)
            if row["state"] == "queued":
                assert row["due_at"] > to_text(END), "somebody was forgotten"
    assert by_state["sent"] <= taken.keys()
    assert taken.keys() - by_state["sent"] <= by_state["unknown"]
    assert len(by_state["unknown"]) <= deaths * Mailbox.connections
    assert by_state.keys() <= {"sent", "unknown", "queued"}
    return len(by_state["sent"])


def in_memory() -> Path | None:
    """Where there is room in memory: no death of a process asks for a real disk."""
    memory = Path("/dev/shm")  # noqa: S108
    usable = memory.is_dir() and os.access(memory, os.W_OK | os.X_OK)
    return memory if usable and shutil.disk_usage(memory).free > 2**28 else None


@pytest.mark.slow
@pytest.mark.parametrize("zone", YEARS)
def test_400_days_with_sudden_deaths_leave_every_slot_with_its_edition_or_its_reason(
    zone: str,
) -> None:
    dice = random.Random(zone)  # noqa: S311  # the same year each time
    with TemporaryDirectory(dir=in_memory()) as name:
        folder = Path(name)
        paper = newspaper(folder, zone, dice)
        ticks = moments(paper.settings, dice)
        book, seen = folder / "book", folder / "seen"
        seen.write_text(to_text(BEGIN))
        deaths = 0
        for steps in expectations(dice):
            life = partial(live_on, paper, ticks, book, seen)
            if live(life, steps):
                break
            deaths += 1
            assert audit(paper.settings).breaches == ()
            away = timedelta(hours=dice.choice((0, 0, 0, 0.02, 0.5, 5, 30)))
            # However long nobody is there, somebody comes back before the year is judged.
            seen.write_text(to_text(min(from_text(seen.read_text()) + away, ticks[-1])))

        assert audit(paper.settings).breaches == ()
        assert_every_slot_has_its_end(paper)
        sent = assert_nobody_has_an_edition_twice(paper, book, deaths=deaths)
        assert deaths >= 20
        assert sent > 300
