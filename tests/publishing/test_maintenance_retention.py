"""After the time of retention an edition's deliveries are totals, and everything else goes on."""

import itertools
import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from digest.lib import verp
from digest.model.delivery import Outcome, Rejected, Unknown
from digest.publishing.maintenance import PruneResult, audit, prune
from digest.publishing.send import UnknownPolicy, resume
from digest.storage import deliveries, retention
from digest.storage.database import open_database
from tests.publishing.paper import NOW, Paper, paper_in
from tests.recording_transport import RecordingTransport

MONTH = timedelta(days=30)
LATER = NOW + timedelta(days=31)
READERS = [f"reader{n}@example.com" for n in range(1, 8)]


@pytest.fixture
def sent(paper: Paper) -> Paper:
    """An edition that six readers have, and the seventh was refused."""
    return paper_with_an_edition(paper, {READERS[6]: Rejected(reason="550 no such user")})


def paper_with_an_edition(paper: Paper, answers: Mapping[str, Outcome]) -> Paper:
    kept = Paper(replace(paper.settings, retention=MONTH))
    kept.publish("Ferry late", "Library open")
    kept.subscribe(*READERS)
    kept.send(RecordingTransport(answers))
    return kept


def counts(paper: Paper, edition: int = 1) -> dict[str, int]:
    with open_database(paper.settings.database) as db:
        return {state.value: n for state, n in deliveries.counts(db, edition).items() if n}


def test_an_edition_keeps_its_counts_when_its_deliveries_are_gone(sent: Paper) -> None:
    before = counts(sent)
    assert prune(sent.settings, now=LATER, rest=0) == PruneResult(editions=1, deliveries=7)
    assert counts(sent) == before == {"sent": 6, "rejected": 1}
    assert sent.value("select count(*) from deliveries") == 0
    assert sent.value("select count(*) from variants") == 0
    assert sent.value("select count(*) from images") == 0
    assert prune(sent.settings, now=LATER, rest=0) == PruneResult()


def test_nothing_is_pruned_before_its_time_or_without_a_retention(sent: Paper) -> None:
    assert prune(sent.settings, now=NOW + timedelta(days=29)) == PruneResult()
    assert prune(replace(sent.settings, retention=None), now=LATER) == PruneResult()
    assert sent.value("select count(*) from deliveries") == 7


def test_an_edition_under_way_is_not_pruned_however_old(sent: Paper) -> None:
    sent.run("update editions set state = 'prepared', finished_at = null")
    assert prune(sent.settings, now=LATER) == PruneResult()


def test_no_article_comes_again_after_pruning(sent: Paper) -> None:
    prune(sent.settings, now=LATER, rest=0)
    sent.publish("Tide tables", hours=-31 * 24 + 1)
    transport = RecordingTransport()
    sent.send(transport, now=LATER)
    assert b"Tide tables" in transport.accepted[0].message
    assert b"Ferry late" not in transport.accepted[0].message


def test_ids_of_pruned_deliveries_are_never_given_again(sent: Paper) -> None:
    prune(sent.settings, now=LATER, rest=0)
    sent.publish("Tide tables", hours=-31 * 24 + 1)
    sent.send(RecordingTransport(), now=LATER)
    assert sent.value("select min(id) from deliveries") == 8
    assert counts(sent, 1) == {"sent": 6, "rejected": 1}
    assert counts(sent, 2) == {"sent": 7}


def test_the_return_path_of_a_pruned_delivery_still_names_its_edition(sent: Paper) -> None:
    key = b"k" * 32
    path = verp.address("bounces@gazette.example", key, day=NOW.date(), delivery_id=7)
    prune(sent.settings, now=LATER, rest=0)
    with open_database(sent.settings.database) as db:
        run = "select number from editions where ? between first_delivery_id and last_delivery_id"
        assert [row[0] for row in db.rows(run, (verp.read(path, key),))] == [1]


def test_a_link_in_a_pruned_message_still_names_its_reader(sent: Paper) -> None:
    prune(sent.settings, now=LATER, rest=0)
    assert (
        sent.value(
            "select s.email from subscriptions n join subscribers s on s.id = n.subscriber_id"
            " where n.token = 'token-of-3'"
        )
        == "reader3@example.com"
    )


def test_an_unknown_delivery_stays_until_the_owner_decides(paper: Paper) -> None:
    answers = {READERS[2]: Unknown(reason="the line was lost")}
    kept = paper_with_an_edition(paper, answers)
    assert prune(kept.settings, now=LATER, rest=0) == PruneResult(editions=0, deliveries=6)
    assert counts(kept) == {"sent": 6, "unknown": 1}
    assert kept.states() == {READERS[2]: "unknown"}

    transport = RecordingTransport()
    resume(
        kept.settings,
        kept.newsletter,
        transport,
        unknown=UnknownPolicy.RESEND,
        clock=lambda: LATER,
        progress=lambda _plan: lambda _state: None,
    )
    assert [attempt.envelope.rcpt_to for attempt in transport.accepted] == [READERS[2]]
    assert counts(kept) == {"sent": 7}
    assert prune(kept.settings, now=LATER, rest=0) == PruneResult()
    again = LATER + MONTH
    assert prune(kept.settings, now=again, rest=0) == PruneResult(editions=1, deliveries=1)
    assert counts(kept) == {"sent": 7}


def test_a_batch_is_no_larger_than_it_was_told_to_be(sent: Paper) -> None:
    with open_database(sent.settings.database) as db:
        assert [retention.prune_batch(db, 1, most=3) for _ in range(4)] == [3, 3, 1, 0]


def pruned_until_killed(paper: Paper, now: datetime, *, batch: int, statements: int) -> None:
    """Prune in a process of its own that dies, as by kill -9, before one of its statements."""
    child = os.fork()
    if child == 0:
        try:
            with open_database(paper.settings.database) as db:
                left = iter(range(statements))
                db.connection.set_trace_callback(
                    lambda _statement: None if next(left, None) is not None else os._exit(9)
                )
                for edition_id in retention.finished_before(db, now - MONTH):
                    while retention.prune_batch(db, edition_id, most=batch):
                        pass
                    retention.mark_pruned(db, edition_id, now)
        finally:
            os._exit(0)
    os.waitpid(child, 0)


def test_pruning_that_is_killed_at_any_statement_is_finished_by_the_next(
    sent: Paper, tmp_path: Path
) -> None:
    before, statements = counts(sent), itertools.count()
    for statement in statements:
        copy = tmp_path / f"{statement}.db"
        shutil.copyfile(sent.settings.database, copy)
        paper = Paper(replace(sent.settings, database=copy))
        pruned_until_killed(paper, LATER, batch=3, statements=statement)
        left = int(str(paper.value("select count(*) from deliveries")))
        assert counts(paper) == before
        assert audit(paper.settings).breaches == ()
        if paper.value("select pruned_at from editions"):
            break
        assert prune(paper.settings, now=LATER, rest=0) == PruneResult(editions=1, deliveries=left)
        assert counts(paper) == before
        assert audit(paper.settings).breaches == ()
    assert next(statements) > 20


OUTCOMES: Mapping[str, Outcome] = {
    "rejected": Rejected(reason="550 no such user"),
    "unknown": Unknown(reason="the line was lost"),
}


@settings(max_examples=8, deadline=None)
@given(
    editions=st.lists(
        st.dictionaries(st.sampled_from(READERS), st.sampled_from([*OUTCOMES]), max_size=4),
        min_size=1,
        max_size=3,
    ),
    age=st.integers(0, 3),
    batch=st.integers(1, 5),
    deaths=st.lists(st.integers(0, 25), max_size=3),
)
def test_pruning_that_is_killed_anywhere_loses_and_doubles_nothing(
    editions: list[dict[str, str]], age: int, batch: int, deaths: list[int]
) -> None:
    with TemporaryDirectory() as folder:
        paper = Paper(replace(paper_in(Path(folder)).settings, retention=MONTH))
        paper.subscribe(*READERS)
        for day, answers in enumerate(editions):
            paper.publish(f"Story {day}", hours=1 - 24 * day)
            transport = RecordingTransport({who: OUTCOMES[what] for who, what in answers.items()})
            paper.send(transport, now=NOW + timedelta(days=day))
        numbers = range(1, len(editions) + 1)
        before = [counts(paper, number) for number in numbers]
        now = NOW + MONTH + timedelta(days=age)
        for statements in deaths:
            pruned_until_killed(paper, now, batch=batch, statements=statements)
            assert [counts(paper, number) for number in numbers] == before
            assert audit(paper.settings).breaches == ()
        prune(paper.settings, now=now, batch=batch, rest=0)
        assert [counts(paper, number) for number in numbers] == before
        assert audit(paper.settings).breaches == ()
        with open_database(paper.settings.database) as db:
            finished = (
                "select count(*) from deliveries where state <> 'unknown' and edition_id <= ?"
            )
            assert db.rows(finished, (age + 1,))[0][0] == 0
