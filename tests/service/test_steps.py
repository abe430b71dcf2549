"""What the service does each time it is woken: everybody has a turn, and no failure spreads."""

import io
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from digest.composer.message import PreparedMessage, prepare_message
from digest.config import Quota, Settings, SourceKind, SourceSettings
from digest.errors import Interrupted
from digest.lib.timestamps import to_text
from digest.publishing.delivery import run
from digest.schedule.parse import parse_schedule
from digest.service.log import Log
from digest.service.shutdown import Shutdown
from digest.service.steps import TIME_SLICE, ServiceSteps
from digest.service.wakeups import WakeQueue, WakeReason
from digest.storage.database import open_database
from digest.storage.locks import Lease
from tests.faults.script import Moment, Script, Stage, honest
from tests.faults.scripted_server import ScriptedServer, serving
from tests.publishing.paper import NOW, Paper, paper_in


class HandClock:
    """Seconds that only go forward; each look takes `pace` of them."""

    def __init__(self, pace: float = 0.0) -> None:
        self.now = 0.0
        self.pace = pace

    def __call__(self) -> float:
        self.now += self.pace
        return self.now


@dataclass
class Desk:
    """A service without its clock: the work, the newsletter, and what was logged."""

    work: ServiceSteps
    shutdown: Shutdown
    lease: Lease
    paper: Paper
    written: io.StringIO
    time: list[datetime]

    def events(self) -> list[str]:
        return [line.split()[2] for line in self.written.getvalue().splitlines()]


def desk(
    folder: Path, server: ScriptedServer | None = None, *, steady: Callable[[], float] | None = None
) -> Desk:
    """Two newsletters, both due at NOW: one with many readers, and one with a single reader."""
    paper = paper_in(folder)
    daily = replace(paper.newsletter, schedule=parse_schedule(["daily at 07:00"]))
    brief = replace(daily, key="brief", title="The Brief")
    port = server.port if server else 1
    settings = replace(
        paper.settings,
        newsletters={"daily": daily, "brief": brief},
        smtp=replace(paper.settings.smtp, port=port, connections=1),
    )
    paper = Paper(settings)
    paper.publish("Ferry runs again", hours=2)
    paper.subscribe(*(f"reader-{n}@example.com" for n in range(30)))
    paper.run(
        "insert into subscriptions (subscriber_id, newsletter, state, since, token)"
        " select id, 'brief', 'active', since, 'brief-' || id from"
        " (select s.id, n.since from subscribers s join subscriptions n on n.subscriber_id = s.id"
        " order by s.id limit 1)"
    )
    before = to_text(NOW - timedelta(hours=1))
    paper.run("insert into timetables values ('daily', ?), ('brief', ?)", before, before)
    return desk_of(settings, steady=steady)


def desk_of(settings: Settings, *, steady: Callable[[], float] | None = None) -> Desk:
    time = [NOW]
    written = io.StringIO()
    shutdown = Shutdown(timeout=30, when_idle=WakeQueue().wake)
    lease = Lease(settings.database)
    lease.take(NOW)
    work = ServiceSteps(
        settings,
        shutdown,
        lease,
        log=Log(settings.service.log, lambda: time[0], stream=written),
        now=lambda: time[0],
        steady=steady or HandClock(),
    )
    return Desk(work, shutdown, lease, Paper(settings), written, time)


def states(paper: Paper, newsletter: str) -> set[object]:
    with open_database(paper.settings.database) as db:
        rows = db.rows(
            "select distinct d.state from deliveries d join editions e on e.id = d.edition_id"
            " where e.newsletter = ?",
            (newsletter,),
        )
    return {row["state"] for row in rows}


def at(nth: int, do: Callable[[], object]) -> Script:
    def script(moment: Moment) -> None:
        if (moment.stage, moment.nth) == (Stage.DOT, nth):
            do()

    return script


def slowly(made: Desk, per_second: float) -> None:
    smtp = replace(made.work.settings.smtp, messages_per_second=per_second)
    made.work.settings = replace(made.work.settings, smtp=smtp)


def test_a_long_run_pauses_so_that_others_have_their_turn_and_continues_at_once(
    tmp_path: Path,
) -> None:
    steady = HandClock()

    def time_flies() -> None:
        steady.now += TIME_SLICE

    with serving(ScriptedServer(at(3, time_flies))) as server:
        made = desk(tmp_path, server, steady=steady)
        slowly(made, 10)
        assert made.work.run_pass(()) is True
        assert states(made.paper, "brief") == {"sent"}
        assert states(made.paper, "daily") == {"sent", "queued"}
        assert made.work.run_pass(()) is False
    assert states(made.paper, "daily") == {"sent"}
    assert len(server.accepted) == 31


def test_a_slot_that_comes_during_a_run_is_processed_before_the_run_continues(
    tmp_path: Path,
) -> None:
    def night_is_over() -> None:
        made.time[0] = NOW + timedelta(days=1)

    with serving(ScriptedServer()) as server:
        made = desk(tmp_path, server)
        server.manners.script = at(3, night_is_over)
        slowly(made, 10)
        assert made.work.run_pass(()) is True
        assert "queued" in states(made.paper, "daily")
        server.manners.script = honest
        made.work.run_pass(())
    assert made.paper.value("select count(*) from slots where due_at > '2026-03-13'") == 2


def test_told_to_end_while_a_limit_keeps_everybody_waiting_it_ends_with_nothing_unknown(
    tmp_path: Path,
) -> None:
    with serving(ScriptedServer(at(3, lambda: os.kill(os.getpid(), signal.SIGTERM)))) as server:
        made = desk(tmp_path, server, steady=HandClock(pace=1.0))
        quota = Quota(messages=3, window=timedelta(hours=1))
        smtp = replace(made.work.settings.smtp, messages_per_window=quota)
        made.work.settings = replace(made.work.settings, smtp=smtp)
        with made.shutdown.on_signals():
            made.work.run_pass(())
    assert made.shutdown.requested
    assert not made.shutdown.at_once
    assert len(server.accepted) == 3
    assert states(made.paper, "daily") == {"sent", "queued"}


def test_told_to_end_while_messages_are_prepared_it_sends_none_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = prepare_message

    def meanwhile(*args: Any, **values: Any) -> PreparedMessage:
        if not made.shutdown.requested:
            os.kill(os.getpid(), signal.SIGTERM)
        return prepare(*args, **values)

    monkeypatch.setattr(run, "prepare_message", meanwhile)
    with serving(ScriptedServer(honest)) as server:
        made = desk(tmp_path, server)
        with made.shutdown.on_signals(), pytest.raises(Interrupted):
            made.work.run_pass(())
    assert not made.shutdown.at_once
    assert server.accepted == []
    assert states(made.paper, "daily") == {"queued"}


def test_limits_of_a_relay_hold_over_all_runs(tmp_path: Path) -> None:
    steady = HandClock()

    def time_flies() -> None:
        steady.pace = TIME_SLICE / 4

    with serving(ScriptedServer(at(3, time_flies))) as server:
        made = desk(tmp_path, server, steady=steady)
        quota = Quota(messages=3, window=timedelta(hours=1))
        smtp = replace(made.work.settings.smtp, messages_per_window=quota)
        made.work.settings = replace(made.work.settings, smtp=smtp)
        assert made.work.run_pass(()) is True
    assert len(server.accepted) == 3


def test_a_lease_that_was_taken_away_ends_a_run(tmp_path: Path) -> None:
    with serving(ScriptedServer()) as server:
        made = desk(tmp_path, server)
        lock = made.work.settings.database.with_name("subscribers.db.run.lock")
        server.manners.script = at(3, lambda: lock.rename(tmp_path / "put aside"))
        slowly(made, 10)
        made.work.run_pass(())
    assert len(server.accepted) < 31
    assert not made.lease.is_ours


def test_a_newsletter_that_fails_keeps_no_other_from_its_readers(tmp_path: Path) -> None:
    with serving(ScriptedServer()) as server:
        made = desk(tmp_path, server)
        broken = tmp_path / "templates" / "email" / "digest.html"
        broken.parent.mkdir(parents=True)
        broken.write_text("{% if newsletter.key == 'daily' %}{{ 1 / 0 }}{% endif %}<p>x</p>")
        made.work.run_pass(())
        made.work.run_pass(())
    assert states(made.paper, "brief") == {"sent"}
    assert states(made.paper, "daily") == set()
    assert made.paper.value("select state from slots where newsletter = 'daily'") == "due"


def test_a_bug_that_one_newsletter_meets_is_told_and_keeps_no_other_from_its_readers(
    tmp_path: Path,
) -> None:
    with serving(ScriptedServer()) as server:
        made = desk(tmp_path, server)
        daily = made.work.settings.newsletters["daily"]
        schedule = replace(parse_schedule(["daily at 07:00"]), rules=(Unlucky(),))
        newsletters = {
            **made.work.settings.newsletters,
            "daily": replace(daily, schedule=schedule),
        }
        made.work.settings = replace(made.work.settings, newsletters=newsletters)
        made.work.run_pass(())
        made.work.run_pass(())
    assert states(made.paper, "brief") == {"sent"}
    assert made.events().count("newsletter-failed") == 1
    assert made.work.state.errors["newsletter-failed"] > 1


class Unlucky:
    """A line of a schedule that nobody foresaw."""

    times = (time(7),)

    def times_on(self, day: date) -> tuple[time, ...]:
        raise ZeroDivisionError(day)


def test_a_database_that_is_away_is_told_once_and_tried_again(tmp_path: Path) -> None:
    with serving(ScriptedServer()) as server:
        made = desk(tmp_path, server)
        away = tmp_path / "away.db"
        made.work.settings.database.rename(away)
        for _ in range(3):
            made.work.run_pass(())
        assert made.events().count("tick-failed") == 1
        assert "tick" in made.work.state.failing_steps
        assert made.work.state.errors["tick-failed"] == 3
        assert not made.work.settings.database.exists(), "an empty one would look like a first day"
        away.rename(made.work.settings.database)
        made.work.run_pass(())
    assert "recovered" in made.events()
    assert made.work.state.failing_steps == frozenset()
    assert states(made.paper, "daily") == {"sent"}


def test_sources_are_read_before_the_first_slot_and_the_broken_one_stops_no_other(
    tmp_path: Path,
) -> None:
    made = desk(tmp_path)
    (tmp_path / "good.csv").write_text(
        "title,url\nTide turns,https://gazette.example/tide\n", encoding="utf-8"
    )

    def source(name: str) -> SourceSettings:
        return SourceSettings(
            name=name,
            kind=SourceKind.CSV,
            location=str(tmp_path / f"{name}.csv"),
            timezone=made.work.settings.site.timezone,
        )

    made.work.settings = replace(made.work.settings, sources=(source("bad"), source("good")))
    made.work = rebuilt(made, HandClock(pace=0.01))
    made.work.begin()
    assert made.paper.value("select count(*) from articles where title = 'Tide turns'") == 1
    assert sorted(made.events()) == ["source-failed", "source-read"]
    made.work.begin()
    assert made.events().count("source-failed") == 1, "the same failure is told once"
    assert made.events().count("source-read") == 1, "what was just read is not read again"


def rebuilt(made: Desk, steady: Callable[[], float]) -> ServiceSteps:
    return ServiceSteps(
        made.work.settings,
        made.shutdown,
        made.lease,
        log=Log(made.work.settings.service.log, lambda: NOW, stream=made.written),
        now=lambda: NOW,
        steady=steady,
    )


def test_old_records_are_pruned_when_it_is_asked_for(tmp_path: Path) -> None:
    made = desk(tmp_path)
    made.work.settings = replace(made.work.settings, retention=timedelta(days=1))
    made.work.run_pass([WakeReason.PRUNE])
    assert "pruning-failed" not in made.events()
