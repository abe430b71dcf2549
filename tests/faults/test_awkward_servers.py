"""Servers that are full, slow, silent, confused or gone, with 10,000 readers."""

import asyncio
import os
import signal

import pytest

from tests.faults.accounts import assert_accounts_balance
from tests.faults.gazette import CONNECTIONS, READERS, Gazette, Target
from tests.faults.script import Action, Late, Leave, Moment, Say, Stage, once
from tests.faults.scripted_server import ScriptedServer, serving

pytestmark = pytest.mark.slow

FULL = Say("452 4.3.1 insufficient system storage")
NONSENSE = (
    Say(b"what is this\r\n"),
    Say(b"25O taken\r\n250 taken\r\n"),
    Say(b"\0\xff" * 9 + b"\r\n"),
    Say(b"250-and so on\r\n" * 700_000 + b"250 done\r\n", endless=True),
    Say(b"250 and so on" + b" and so on" * 1_000_000 + b"\r\n", endless=True),
)


def test_a_server_whose_disk_was_full_has_everybody_once_there_is_room(gazette: Gazette) -> None:
    def script(moment: Moment) -> Action | None:
        """Full at first for new messages, and then for those that are too long for what is left."""
        at_mail = moment.stage is Stage.MAIL and 3_000 < moment.nth <= 5_000
        at_dot = moment.stage is Stage.DOT and 3_000 < moment.nth <= 5_000
        return FULL if at_mail or at_dot else None

    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        gazette.digest("send", codes=(5,))
        # A refusal on a connection that has served is asked about again on a fresh one.
        assert READERS - 4_000 <= len(server.accepted) <= READERS - 4_000 + CONNECTIONS
        assert set(gazette.states().values()) == {"sent", "deferred"}
        gazette.digest("resume", "--now")
    assert len(server.accepted) == READERS
    assert_accounts_balance(gazette, server)


def test_replies_that_are_merged_and_split_mean_the_same(gazette: Gazette) -> None:
    with serving(ScriptedServer(merge=True, pieces=7)) as server:
        gazette.at(server)
        gazette.digest("send")
        assert len(server.connections) == CONNECTIONS
    assert len(server.accepted) == READERS
    assert_accounts_balance(gazette, server)


def test_replies_that_are_thousands_of_messages_late_still_count(gazette: Gazette) -> None:
    half_is_done = asyncio.Event()
    late = {
        (Stage.MAIL, 100): Late(Say("250 2.1.0 fine"), half_is_done),
        (Stage.DATA, 200): Late(Say("354 go ahead"), half_is_done),
        (Stage.DOT, 300): Late(Say("250 2.0.0 taken"), half_is_done),
    }
    held: list[int] = []

    def script(moment: Moment) -> Action | None:
        if len(server.accepted) == READERS // 2:
            half_is_done.set()
        action = late.get((moment.stage, moment.nth))
        if action is not None:
            held.append(moment.connection)
        return action

    server = ScriptedServer(script)
    with serving(server):
        gazette.at(server)
        gazette.digest("send")
        assert len(set(held)) == 3
        assert len(server.connections) == CONNECTIONS
    assert len(server.accepted) == READERS
    assert_accounts_balance(gazette, server)


def test_what_is_no_reply_leaves_unknown_exactly_whose_receipt_it_was(gazette: Gazette) -> None:
    endless = 0

    def script(moment: Moment) -> Action | None:
        nonlocal endless
        after = moment.stage is Stage.DOT and moment.nth % 500 == 0
        before = moment.stage in (Stage.MAIL, Stage.RCPT, Stage.DATA) and moment.nth % 500 == 250
        if not (after or before):
            return None
        action = NONSENSE[moment.nth // 500 % len(NONSENSE)]
        endless += after and action.endless
        return action

    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        gazette.digest("send", codes=(5,))
        gazette.digest("resume", "--now", codes=(5,))
    assert len(set(server.unreceipted)) == 20
    # A receipt of ten megabytes is one, but nobody has to listen to it.
    assert len(server.accepted) == READERS - 20 + endless
    assert endless == 8
    assert_accounts_balance(gazette, server)


def test_a_sender_that_sleeps_for_longer_than_the_server_waits_wakes_up_and_goes_on(
    gazette: Gazette,
) -> None:
    target = Target()
    server = ScriptedServer(once(Stage.DOT, 3_000, lambda: target.hit(signal.SIGSTOP)))
    with serving(server):
        gazette.at(server)
        with gazette.running("send") as sender:
            target.aim(sender)
            _, status = os.waitpid(sender.pid, os.WUNTRACED)
            assert os.WIFSTOPPED(status)
            # It has stopped. What it had written arrives, and then nothing: the server is tired.
            server.from_outside(lambda: server.drop(b"421 4.4.2 idle for too long\r\n"))
            server.from_outside(server.everybody_left)
            os.kill(sender.pid, signal.SIGCONT)
            ended = sender.ended()
    assert ended.code in (0, 5)
    assert len(server.connections) > CONNECTIONS
    assert_accounts_balance(gazette, server)


#: What the server does at every so many of a stage. The rhythms meet in every order.
WEATHER = (
    (Stage.GREETING, 13, Say("421 4.3.2 too busy", leave=True)),
    (Stage.MAIL, 211, Say("451 4.3.0 try later")),
    (Stage.RCPT, 97, Say("550 5.1.1 no such reader")),
    (Stage.RCPT, 89, Say("452 4.2.2 mailbox full")),
    (Stage.DATA, 307, Leave()),
    (Stage.DOT, 151, Say("554 5.7.1 not to this reader")),
    (Stage.DOT, 101, Leave()),
    (Stage.DOT, 103, Leave(accept=True)),
    (Stage.DOT, 83, Say("451 4.7.1 look again")),
    (Stage.DOT, 7, Say("250-taken\n250 2.0.0 indeed", pieces=3)),
)


def test_all_kinds_of_weather_in_one_delivery(gazette: Gazette) -> None:
    def script(moment: Moment) -> Action | None:
        due = (
            action
            for stage, every, action in WEATHER
            if moment.stage is stage and moment.nth % every == 0
        )
        return next(due, None)

    with serving(ScriptedServer(script, per_connection=400)) as server:
        gazette.at(server)
        gazette.digest("send", codes=(5,))
        gazette.resumed_until_nobody_waits()
    assert len(server.refused) > 160
    assert len(server.unreceipted) > 180
    assert_accounts_balance(gazette, server)
