import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from digest.errors import StorageError, UsageError
from digest.model.newsletter import Rules
from digest.model.schedule import DeliverAt, OnSilence, Timing
from digest.schedule.parse import parse_schedule
from digest.schedule.timetable import slots_between
from digest.scheduler.simulation import Simulation, simulate
from digest.storage import articles, editions
from digest.storage.database import Access, open_database
from tests.publishing.paper import NOW, Paper
from tests.scheduler.ticking import Service, service_in

#: 12 March 2026, 07:00; the newsletter's London has the same clock until the 29th.
DAY = timedelta(days=1)


def simulated(service: Service, *, begin: datetime = NOW - DAY, until: datetime) -> Simulation:
    return simulate(service.paper.settings, service.newsletter, begin=begin, until=until)


def with_rules(service: Service, rules: Rules) -> Service:
    return Service(service.paper.with_rules(rules))


def titles(result: Simulation) -> list[list[str]]:
    return [[story.title for story in one.stories] for one in result.slots]


def unsent(result: Simulation) -> dict[str, int]:
    return {one.why: one.articles for one in result.unsent}


def test_no_article_is_in_two_editions_and_what_is_over_the_limit_waits(tmp_path: Path) -> None:
    service = with_rules(service_in(tmp_path, "daily at 07:00"), Rules(max_items=2))
    service.paper.publish("Harbour wall rises", "Ferry timetable", "Market returns", hours=1)

    result = simulated(service, until=NOW + 2 * DAY)

    assert titles(result) == [["Harbour wall rises", "Ferry timetable"], ["Market returns"], []]
    assert [one.number for one in result.slots] == [1, 2, None]
    assert [one.waiting for one in result.slots] == [1, 0, 0]
    assert result.slots[2].reason == "there is nothing new"
    assert result.unsent == ()


def test_a_slot_with_too_few_articles_says_so_and_they_wait(tmp_path: Path) -> None:
    service = with_rules(service_in(tmp_path, "daily at 07:00"), Rules(min_items=2))
    service.paper.publish("Harbour wall rises", hours=1)
    service.paper.publish("Ferry timetable", hours=-1)

    result = simulated(service, until=NOW + DAY)

    assert result.slots[0].reason == "1 new story, and an edition needs 2 (min_items)"
    assert result.slots[0].waiting == 1
    assert len(result.slots[1].stories) == 2


def test_every_article_is_in_an_edition_or_there_is_a_reason(tmp_path: Path) -> None:
    rules = Rules(max_items=1, max_age=timedelta(hours=30))
    service = with_rules(service_in(tmp_path, "weekdays at 07:00"), rules)
    paper = service.paper
    paper.publish("Harbour wall rises", "Harbour wall rises!", "Ferry timetable", hours=1)
    paper.publish("Choir wins prize", "Bus lane opens", hours=2)
    paper.publish("Saturday's parade", hours=-60)
    paper.publish("Tide runs late", hours=-97)
    with open_database(paper.settings.database) as db:
        articles.drop(db, "daily", 4, reason="by the editor", now=NOW)
        articles.mark_withdrawn(db, 5, NOW)

    # From Thursday to Monday; on Saturday there is no edition, and on Monday it is too late.
    result = simulated(service, until=NOW + timedelta(days=4, hours=2))

    assert titles(result) == [["Harbour wall rises"], ["Ferry timetable"], []]
    assert result.articles == 7
    assert unsent(result) == {
        "dropped: by the editor": 1,
        "older than 30 hours (max_age) when the next edition came": 1,
        "same headline as another article": 1,
        "not decided: no edition came after it": 1,
        "withdrawn": 1,
    }


def test_what_gave_up_waiting_says_what_it_waited_for(tmp_path: Path) -> None:
    rules = Rules(max_items=1, max_age=timedelta(hours=30))
    service = with_rules(service_in(tmp_path, "daily at 07:00"), rules)
    service.paper.publish("Harbour wall rises", "Ferry timetable", "Market returns", hours=1)
    service.paper.publish("Choir wins prize", hours=-47)

    result = simulated(service, until=NOW + 2 * DAY)

    assert [one.went_too_old for one in result.slots] == [0, 0, 1]
    assert unsent(result) == {"became too old while it waited: over the limit of 1 stories": 1}


def test_days_off_are_shown_and_have_no_edition(tmp_path: Path) -> None:
    service = service_in(tmp_path, "daily at 07:00")
    service.paper.publish("Harbour wall rises", hours=1)
    schedule = parse_schedule(["daily at 07:00"], [date(2026, 3, 12)])
    newsletter = replace(service.newsletter, schedule=schedule)

    result = simulate(service.paper.settings, newsletter, begin=NOW - DAY, until=NOW + DAY)

    assert [one.reason for one in result.slots] == ["a day off", ""]
    assert (result.days_off, len(result.editions)) == (1, 1)


def test_a_pinned_article_leads(tmp_path: Path) -> None:
    service = service_in(tmp_path, "daily at 07:00")
    service.paper.publish("Harbour wall rises", hours=1)
    service.paper.publish("Ferry timetable", hours=20)
    with open_database(service.paper.settings.database) as db:
        articles.pin(db, "daily", 2, NOW)

    assert titles(simulated(service, until=NOW))[0][0] == "Ferry timetable"


def test_where_drafts_wait_for_the_editor_later_news_wait_for_the_next(tmp_path: Path) -> None:
    timing = Timing(approval=True, lead_time=timedelta(hours=2))
    service = service_in(tmp_path, "daily at 07:00", timing=timing)
    service.paper.publish("Harbour wall rises", hours=3)
    service.paper.publish("Ferry timetable", hours=1)

    assert titles(simulated(service, until=NOW + DAY)) == [
        ["Harbour wall rises"],
        ["Ferry timetable"],
    ]


def test_what_readers_had_before_the_time_is_not_in_it(tmp_path: Path) -> None:
    service = service_in(tmp_path, "daily at 07:00")
    service.paper.publish("Harbour wall rises", hours=1)
    service.paper.publish("Ferry timetable", hours=-1)
    service.paper.subscribe("ada@example.com")
    service.tick("2026-03-12T06:00:00Z")
    service.tick("2026-03-12T07:00:03Z")

    result = simulated(service, begin=NOW, until=NOW + DAY)

    assert titles(result) == [["Ferry timetable"]]
    assert (result.articles, result.decided_before) == (1, 1)


def test_nothing_is_written_to_the_files_of_the_newsletter(tmp_path: Path) -> None:
    service = service_in(tmp_path, "daily at 07:00")
    service.paper.publish("Harbour wall rises", hours=1)
    service.paper.subscribe("ada@example.com")
    before = (tmp_path / "subscribers.db").read_bytes()

    assert simulated(service, until=NOW).editions

    assert (tmp_path / "subscribers.db").read_bytes() == before
    # Whoever reads a database in WAL mode leaves an empty log beside it.
    assert (tmp_path / "subscribers.db-wal").read_bytes() == b""


def test_the_database_of_another_program_is_refused_in_words(tmp_path: Path) -> None:
    service = service_in(tmp_path, "daily at 07:00")
    with pytest.raises(StorageError, match="there is no database at"):
        simulated(service, until=NOW)
    with sqlite3.connect(tmp_path / "subscribers.db") as db:
        db.execute("create table recipes (name text)")
    db.close()
    with pytest.raises(StorageError, match="is a SQLite database of another program"):
        simulated(service, until=NOW)


def test_more_slots_than_anybody_looks_at_are_refused(tmp_path: Path) -> None:
    service = service_in(tmp_path, "0 * * * *")
    service.paper.publish("Harbour wall rises")
    with pytest.raises(UsageError, match="more than 5,000 slots"):
        simulated(service, begin=NOW - 52 * 7 * DAY, until=NOW)


# --- the same as the real ones ---

_WORDS = ("harbour", "ferry", "market", "choir", "tide", "council", "bridge", "school", "bakery")

_published = st.lists(
    st.tuples(
        st.integers(min_value=-30, max_value=6 * 24),  # hours after the first slot
        st.tuples(st.sampled_from(_WORDS), st.sampled_from(_WORDS), st.sampled_from(_WORDS)),
        st.sampled_from(("Town", "Sport", None)),
    ),
    max_size=25,
)

_rules = st.builds(
    Rules,
    min_items=st.integers(1, 3),
    max_items=st.integers(3, 6),
    max_per_section=st.sampled_from((None, 2)),
    max_age=st.sampled_from((timedelta(hours=20), timedelta(days=2))),
)

_timings = st.sampled_from(
    (
        Timing(),
        Timing(deliver_at=DeliverAt.READER),
        Timing(approval=True, lead_time=timedelta(hours=3), on_silence=OnSilence.SEND),
    )
)


@settings(max_examples=12, deadline=None)
@given(
    published=_published,
    rules=_rules,
    timing=_timings,
    lines=st.sampled_from((["daily at 07:00"], ["weekdays at 07:00", "daily at 17:30"])),
    from_day=st.integers(0, 2),
)
@example(
    # What repeats a story, and comes between its draft and its hour, is decided on with it.
    published=[(112, ("tide", "tide", "tide"), "Town"), (117, ("tide", "tide", "tide"), "Town")],
    rules=Rules(max_age=timedelta(hours=20)),
    timing=Timing(approval=True, lead_time=timedelta(hours=3), on_silence=OnSilence.SEND),
    lines=["weekdays at 07:00", "daily at 17:30"],
    from_day=0,
)
@example(
    # Readers had it on the first day, and the simulation begins on the second.
    published=[(-1, ("ferry", "choir", "tide"), None), (8, ("market", "bakery", "school"), None)],
    rules=Rules(),
    timing=Timing(),
    lines=["daily at 07:00"],
    from_day=1,
)
def test_a_simulation_has_the_editions_that_the_service_made(
    published: Sequence[tuple[int, tuple[str, ...], str | None]],
    rules: Rules,
    timing: Timing,
    lines: list[str],
    from_day: int,
) -> None:
    with TemporaryDirectory() as folder:
        service = with_rules(service_in(Path(folder), *lines, timing=timing), rules)
        service.paper.subscribe("ada@example.com", "bob@example.com")
        service.paper.run(
            "update subscribers set timezone = 'Asia/Kathmandu' where email = 'bob@example.com'"
        )
        waiting = sorted(published, key=lambda one: one[0])
        start, end = NOW - timedelta(hours=20), NOW + timedelta(days=6)
        service.tick(f"{start:%Y-%m-%dT%H:%M:%SZ}")
        for moment in moments(service, start, end):
            while waiting and NOW + timedelta(hours=waiting[0][0]) < moment:
                hours, words, section = waiting.pop(0)
                service.paper.publish(" ".join(words), hours=-hours, section=section)
            service.tick(f"{moment:%Y-%m-%dT%H:%M:%SZ}")
        for hours, words, section in waiting:
            service.paper.publish(" ".join(words), hours=-hours, section=section)
        begin = start + from_day * DAY

        result = simulated(service, begin=begin, until=end)

        assert made(result) == ledger(service.paper, begin)
        in_editions = sum(len(one.stories) for one in result.editions)
        assert in_editions + sum(one.articles for one in result.unsent) == result.articles


def moments(service: Service, start: datetime, end: datetime) -> list[datetime]:
    """When a service has something to do: early for readers far east and for the editor."""
    slots = slots_between(service.newsletter, start, end)
    ahead = (timedelta(0), timedelta(hours=3), timedelta(hours=5, minutes=45))
    return sorted({slot.at - early for slot in slots for early in ahead})


def made(result: Simulation) -> dict[str, list[int]]:
    return {one.slot.name: [s.article_id for s in one.stories] for one in result.editions}


def ledger(paper: Paper, begin: datetime) -> dict[str, list[int]]:
    """The stories of the editions of slots after an instant."""
    with open_database(paper.settings.database, Access.READ) as db:
        found = editions.recent(db, "daily", 1000)
    return {
        one.slot: [story.article_id for story in one.stories]
        for one in reversed(found)
        if datetime.fromisoformat(one.slot).replace(tzinfo=UTC) > begin
    }
