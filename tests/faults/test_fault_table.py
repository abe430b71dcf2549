"""The faults under which the strongest open-source sender lost thousands of 10,000 readers."""

import signal

import pytest

from tests.faults.accounts import assert_accounts_balance
from tests.faults.gazette import CONNECTIONS, READERS, Gazette, Target
from tests.faults.script import Action, Leave, Moment, Say, Stage, once
from tests.faults.scripted_server import ScriptedServer, serving

pytestmark = pytest.mark.slow


def test_after_a_kill_at_3000_delivered_a_restart_serves_everybody_else(gazette: Gazette) -> None:
    target = Target()
    script = once(Stage.DOT, 3_000, lambda: target.hit(signal.SIGKILL))
    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        with gazette.running("send") as sender:
            assert target.aim(sender).ended().code == -signal.SIGKILL
        server.from_outside(server.everybody_left)
        assert 3_000 <= len(server.accepted) <= 3_000 + CONNECTIONS
        gazette.digest("send", codes=(0, 5))
    assert_accounts_balance(gazette, server, deaths=1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_sender_that_is_asked_to_end_at_3000_leaves_nothing_unknown(
    gazette: Gazette, number: signal.Signals
) -> None:
    target = Target()
    with serving(ScriptedServer(once(Stage.DOT, 3_000, lambda: target.hit(number)))) as server:
        gazette.at(server)
        with gazette.running("send") as sender:
            ended = target.aim(sender).ended()
        assert ended.code == 5
        assert "stopping after the messages being sent" in ended.complained
        assert 3_000 <= len(server.accepted) < READERS
        gazette.digest("send")
    assert len(server.accepted) == READERS
    assert_accounts_balance(gazette, server)


def test_every_tenth_reader_answered_451_has_it_after_the_next_try(gazette: Gazette) -> None:
    put_off: set[bytes] = set()

    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.RCPT and moment.nth % 10 == 0 and moment.nth <= READERS:
            put_off.add(moment.argument)
            return Say("451 4.7.1 greylisted, come back later")
        return None

    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        gazette.digest("send", codes=(5,))
        assert len(server.accepted) == READERS - len(put_off) == 9_000
        gazette.digest("resume", "--now")
    assert len(server.accepted) == READERS
    assert_accounts_balance(gazette, server)


def test_a_server_that_closes_with_421_after_50_messages_loses_nobody(gazette: Gazette) -> None:
    with serving(ScriptedServer(per_connection=50)) as server:
        gazette.at(server)
        gazette.digest("send")
        assert len(server.connections) >= READERS // 50
    assert len(server.accepted) == READERS
    assert_accounts_balance(gazette, server)


def test_connections_cut_after_1_final_dot_in_50_leave_exactly_these_unknown(
    gazette: Gazette,
) -> None:
    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.DOT and moment.nth % 50 == 0:
            return Leave(accept=moment.nth % 100 == 0)
        return None

    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        gazette.digest("send", codes=(5,))
    assert len(set(server.unreceipted)) == READERS // 50
    assert len(server.accepted) == READERS - READERS // 100
    assert_accounts_balance(gazette, server)


def test_connections_cut_in_1_message_of_50_leave_at_most_these_unknown(gazette: Gazette) -> None:
    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.BODY and moment.nth % 50 == 0:
            return Leave(after=100 * (moment.nth % 3))
        return None

    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        gazette.digest("send", codes=(5,))
        gazette.digest("resume", "--now", codes=(5,))
    assert 190 <= len(server.broken_off) <= 210
    assert len(server.accepted) >= READERS - len(server.broken_off)
    assert_accounts_balance(gazette, server)


def test_a_server_that_is_down_at_the_start_gets_everybody_once_it_is_back(
    gazette: Gazette,
) -> None:
    server = ScriptedServer()
    with serving(server):
        gazette.at(server)
        server.from_outside(server.stop_listening)
        ended = gazette.digest("send", codes=(5,))
        assert "no SMTP server answers" in ended.complained
        assert set(gazette.states().values()) == {"queued"}
        server.from_outside(server.listen)
        gazette.digest("send")
    assert len(server.accepted) == READERS
    assert_accounts_balance(gazette, server)


def test_a_server_that_goes_away_in_the_middle_gets_the_others_once_it_is_back(
    gazette: Gazette,
) -> None:
    def go_away() -> Leave:
        server.stop_listening()
        server.drop()
        return Leave()

    server = ScriptedServer(once(Stage.MAIL, 3_000, go_away))
    with serving(server):
        gazette.at(server)
        gazette.digest("send", codes=(5,))
        assert len(server.accepted) < 3_000
        server.from_outside(server.listen)
        gazette.digest("send", codes=(0, 5))
    assert len(server.broken_off) <= CONNECTIONS
    assert_accounts_balance(gazette, server)
