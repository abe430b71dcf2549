"""What monitors are told: of the newsletters, the queue, the sources, and of the service itself."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.model.newsletter import Newsletter
from digest.schedule.parse import parse_schedule
from digest.service.metrics import Metric, health, metrics, pages
from digest.service.state import Heartbeat, Role, ServiceState
from digest.storage import sources
from digest.storage.database import open_database
from digest.storage.locks import Holder
from tests.publishing.paper import NOW, Paper, paper_in
from tests.recording_transport import RecordingTransport

SAMPLE = re.compile(r'[a-z_]+(?:\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? [-+.e\d]+')


@pytest.fixture
def paper(tmp_path: Path) -> Paper:
    made = paper_in(tmp_path)
    changed: Newsletter = replace(made.newsletter, schedule=parse_schedule(["daily at 07:00"]))
    made = Paper(replace(made.settings, newsletters={changed.key: changed}))
    made.publish("Ferry runs again")
    made.subscribe("ada@example.com", "bo@example.com")
    return made


def samples(body: str) -> dict[str, float]:
    found = {}
    for line in body.splitlines():
        if not line.startswith("#"):
            assert SAMPLE.fullmatch(line), line
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def test_everything_that_is_asked_for_is_there(paper: Paper) -> None:
    paper.send(RecordingTransport())
    paper.run("update deliveries set state = 'unknown' where id = 1")
    paper.run("update editions set state = 'incomplete'")
    paper.run(
        "insert into slots (newsletter, slot, due_at, state, reason, since) values"
        " ('daily', '2026-03-12T07:00', '2026-03-12T07:00:00Z', 'skipped', 'why', '')"
    )
    with open_database(paper.settings.database) as db:
        sources.record_reading(
            db, "wire", "x", etag=None, last_modified=None, found_new=True, now=NOW
        )
        sources.record_failure(db, "wire", "x", error="gone", now=NOW)
    standing = ServiceState(role=Role.LEADING)
    standing.messages["accepted"] = 2
    standing.errors["tick-failed"] = 1
    standing.heartbeat.ticked()
    found = samples(metrics(paper.settings, standing, NOW).body)
    tomorrow = (NOW + timedelta(days=1)).timestamp()
    assert found.pop("digest_seconds_since_tick") < 60
    assert {name: value for name, value in found.items() if value} == {
        "digest_leading": 1,
        'digest_messages_total{outcome="accepted"}': 2,
        'digest_errors_total{event="tick-failed"}': 1,
        'digest_next_slot_timestamp_seconds{newsletter="daily"}': tomorrow,
        'digest_last_slot_timestamp_seconds{newsletter="daily"}': NOW.timestamp(),
        'digest_last_slot{newsletter="daily",state="skipped"}': 1,
        'digest_deliveries{newsletter="daily",state="sent"}': 1,
        'digest_deliveries{newsletter="daily",state="unknown"}': 1,
        'digest_source_read_timestamp_seconds{source="wire"}': NOW.timestamp(),
        'digest_source_new_timestamp_seconds{source="wire"}': NOW.timestamp(),
        'digest_source_failing{source="wire"}': 1,
    }


def test_no_page_names_a_reader(paper: Paper) -> None:
    paper.send(RecordingTransport())
    said = pages(lambda: paper.settings, ServiceState())
    assert [page for page in said if "example.com" in said[page]().body] == []


@given(st.text())
def test_a_label_of_any_text_is_one_line(name: str) -> None:
    told = str(Metric(name="m", kind="gauge", help="h", samples=(((("source", name),), 1.0),)))
    sample = told.split("\n")[2:]
    assert len(sample) == 1
    read = re.fullmatch(r'm\{source="(.*)"\} 1', sample[0], re.DOTALL)
    assert read is not None
    meant = re.sub(r"\\(.)", lambda found: {"n": "\n"}.get(found[1], found[1]), read[1])
    assert meant == name


class Stopped:
    """A heartbeat that can be stopped."""

    def __init__(self) -> None:
        self.now = 0.0
        self.heartbeat = Heartbeat(lambda: self.now)
        self.heartbeat.beat(10)


@pytest.mark.parametrize("role", [Role.LEADING, Role.STANDING_BY])
def test_a_service_whose_main_loop_lives_is_healthy(role: Role) -> None:
    holder = Holder(pid=7, host="news1", since=NOW)
    answer = health(ServiceState(role=role, heartbeat=Stopped().heartbeat, holder=holder))
    assert answer.status is HTTPStatus.OK
    told = json.loads(answer.body)
    assert (told["healthy"], told["role"]) == (True, role.value)
    assert told["lease"] == {"pid": 7, "host": "news1", "since": "2026-03-12T07:00:00Z"}


def test_a_main_loop_that_hangs_a_failing_tick_and_an_ending_service_are_not() -> None:
    hangs = Stopped()
    hangs.now += 11
    for standing in (
        ServiceState(role=Role.LEADING, heartbeat=hangs.heartbeat),
        ServiceState(
            role=Role.LEADING, heartbeat=Stopped().heartbeat, failing_steps=frozenset({"tick"})
        ),
        ServiceState(role=Role.ENDING, heartbeat=Stopped().heartbeat),
    ):
        assert health(standing).status is HTTPStatus.SERVICE_UNAVAILABLE
