"""Others at the same database while 10,000 readers are served: a second sender, readers, owners."""

import asyncio
import os
import select
import signal
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest

from digest.storage.database import open_database
from digest.subscribers.changes import ChangeContext
from digest.subscribers.membership import suppress, unsubscribe
from tests.faults.accounts import assert_accounts_balance
from tests.faults.gazette import CONNECTIONS, DEADLINE, READERS, Gazette, Sender, reader
from tests.faults.script import Action, Late, Moment, Say, Stage, once
from tests.faults.scripted_server import ScriptedServer, serving

pytestmark = pytest.mark.slow


def first_to_end(senders: list[Sender]) -> Sender:
    """Whichever of these processes ends first."""
    with ExitStack() as open_files:
        by_file = {os.pidfd_open(sender.pid): sender for sender in senders}
        for file in by_file:
            open_files.callback(os.close, file)
        ended, _, _ = select.select(list(by_file), [], [], DEADLINE)
        assert ended
        return by_file[ended[0]]


def test_of_two_senders_that_start_at_once_one_sends_and_the_other_says_so(
    gazette: Gazette,
) -> None:
    one_has_ended = asyncio.Event()

    def script(moment: Moment) -> Action | None:
        welcome = moment.stage is Stage.GREETING
        return Late(Say("220 scripted.example ready"), one_has_ended) if welcome else None

    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        with gazette.running("send") as one, gazette.running("send") as two:
            loser = first_to_end([one, two])
            winner = two if loser is one else one
            refused = loser.ended()
            assert server.accepted == []
            server.from_outside(one_has_ended.set)
            assert winner.ended().code == 0
        assert refused.code not in (0, 5)
        assert "another digest process is sending" in refused.complained
        # And who comes when all is done finds nothing to do.
        gazette.digest("send", codes=(3,))
    assert len(server.accepted) == READERS
    assert_accounts_balance(gazette, server)


def test_a_second_sender_takes_over_from_one_that_was_killed_and_not_from_one_that_sleeps(
    gazette: Gazette,
) -> None:
    reached = asyncio.Event()
    go_on = asyncio.Event()

    def at_3000() -> Action:
        reached.set()
        return Late(Say("250 2.0.0 taken"), go_on)

    with serving(ScriptedServer(once(Stage.DOT, 3_000, at_3000))) as server:
        gazette.at(server)
        with gazette.running("send") as first:
            server.from_outside(reached.wait)
            os.kill(first.pid, signal.SIGSTOP)
            refused = gazette.digest("send", codes=(3,))
            assert "another digest process is sending" in refused.complained
            os.kill(first.pid, signal.SIGKILL)
            first.ended()
        server.from_outside(go_on.set)
        server.from_outside(server.everybody_left)
        gazette.digest("send", codes=(0, 5))
    assert_accounts_balance(gazette, server, deaths=1)


def test_whoever_leaves_or_is_suppressed_during_the_send_is_not_mailed_any_more(
    gazette: Gazette,
) -> None:
    # Some of them are claimed already when they go, others not yet.
    leaving = [reader(n) for n in (*range(3_020, 3_120), *range(9_000, 9_100))]
    given = ChangeContext(
        newsletter="daily", now=datetime.now(UTC), origin="a test", tokens=lambda: "unused"
    )

    def they_go() -> None:
        with open_database(gazette.database) as db:
            for email in leaving[::2]:
                unsubscribe(db, email, "asked", given)
            for email in leaving[1::2]:
                suppress(db, email, "asked", given)

    with serving(ScriptedServer(once(Stage.DOT, 3_000, they_go))) as server:
        gazette.at(server)
        gazette.digest("send")
    states = gazette.states()
    assert {email for email in states if states[email] == "withheld"} == set(leaving)
    assert not set(leaving) & set(server.readers)
    assert len(server.accepted) == READERS - len(leaving)
    assert_accounts_balance(gazette, server)


def test_after_a_stop_no_message_leaves_until_somebody_resumes(gazette: Gazette) -> None:
    def stop() -> None:
        gazette.digest("stop")

    with serving(ScriptedServer(once(Stage.DOT, 3_000, stop))) as server:
        gazette.at(server)
        gazette.digest("send", codes=(5,))
        # What the others had in their hands at that moment may have left.
        assert 3_000 <= len(server.accepted) <= 3_000 + CONNECTIONS
        gazette.digest("send", codes=(4,))
        gazette.digest("resume")
    assert len(server.accepted) == READERS
    assert_accounts_balance(gazette, server)
