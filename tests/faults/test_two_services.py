"""Two `digest run` on one database: one sends, the other waits for its death."""

import asyncio
import signal
import time

import pytest

from tests.faults.accounts import assert_accounts_balance
from tests.faults.gazette import CONNECTIONS, READERS, Gazette, Target
from tests.faults.script import Action, Hang, Late, Moment, Say, Stage, always, once
from tests.faults.scripted_server import ScriptedServer, serving
from tests.faults.service import make_due, running

pytestmark = pytest.mark.slow

#: Seconds that are promised. It looks every other second; the rest is for a busy machine.
TAKES_OVER = 30


def test_the_second_takes_over_when_the_first_is_killed_while_it_sends(gazette: Gazette) -> None:
    make_due(gazette)
    target, both_are_there = Target(), asyncio.Event()

    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.DOT and moment.nth == 3_000:
            target.hit(signal.SIGKILL)
        if moment.stage is Stage.DOT and not both_are_there.is_set():
            return Late(Say("250 2.0.0 taken"), both_are_there)
        return None

    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        with running(gazette) as first:
            target.aim(first.sender)
            first.until("leading")
            with running(gazette) as second:
                told = second.until("standing-by")["message"]
                assert f"held by process {first.pid} on " in told
                server.from_outside(both_are_there.set)
                assert first.code() == -signal.SIGKILL
                died = time.monotonic()
                assert 3_000 <= len(server.accepted) <= 3_000 + CONNECTIONS
                second.until("leading")
                assert time.monotonic() - died < TAKES_OVER
                second.until("run-ended", newsletter="daily")
                second.process.terminate()
                assert second.code() == 0
        server.from_outside(server.everybody_left)
    assert_accounts_balance(gazette, server, deaths=1)


def test_a_service_that_is_told_to_end_drains_and_leaves_nothing_unknown(
    gazette: Gazette,
) -> None:
    make_due(gazette)
    target = Target()
    script = once(Stage.DOT, 3_000, lambda: target.hit(signal.SIGTERM))
    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        with running(gazette) as service:
            target.aim(service.sender)
            assert service.code() == 0
            assert service.until("ended")["drained"] is True
        assert 3_000 <= len(server.accepted) < READERS
        assert set(gazette.states().values()) == {"sent", "queued"}
        ended = gazette.digest("run", "--once")
        assert "1 delivered" in ended.told
    assert len(server.accepted) == READERS
    assert_accounts_balance(gazette, server)


def test_a_server_that_never_answers_is_not_waited_for_longer_than_the_timeout(
    gazette: Gazette,
) -> None:
    make_due(gazette)
    target = Target()

    def script(moment: Moment) -> Action | None:
        if moment.stage is not Stage.DOT:
            return None
        if moment.nth == CONNECTIONS:
            target.hit(signal.SIGTERM)
        return Hang()

    with serving(ScriptedServer(script)) as server:
        gazette.at(server, DIGEST_SERVICE__TIMEOUT="1s")
        with running(gazette) as service:
            target.aim(service.sender)
            assert service.code() == 5
            assert service.until("ended")["drained"] is False
        server.manners.script = always({})
        server.from_outside(server.everybody_left)
        gazette.digest("run", "--once", codes=(5,))
    unknown = [email for email, state in gazette.states().items() if state == "unknown"]
    assert sorted(unknown) == sorted(server.unreceipted)
    assert_accounts_balance(gazette, server)


def test_one_that_stands_by_ends_at_once_and_a_single_pass_does_nothing(gazette: Gazette) -> None:
    with running(gazette) as leading:
        leading.until("leading")
        with running(gazette) as waiting:
            waiting.until("standing-by")
            ended = gazette.digest("run", "--once", codes=(3,))
            assert f"held by process {leading.pid} on " in ended.complained
            waiting.process.terminate()
            assert waiting.code() == 0
        leading.process.send_signal(signal.SIGINT)
        assert leading.code() == 0


def test_a_lock_that_somebody_takes_away_ends_the_service(gazette: Gazette) -> None:
    with running(gazette) as service:
        service.until("leading")
        gazette.database.with_name("subscribers.db.run.lock").unlink()
        assert service.code() == 1
    assert "was removed" in service.lines[-2]


def test_no_line_of_the_log_names_a_reader(gazette: Gazette) -> None:
    make_due(gazette)

    def script(moment: Moment) -> Action | None:
        if moment.stage is Stage.RCPT:
            address = moment.argument.decode().partition("<")[2].partition(">")[0]
            name = address.partition("@")[0]
            return Say(f"550 5.1.1 <{address}>: there is no {name} here")
        return None

    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        with running(gazette) as service:
            line = service.until("run-ended")
            service.process.terminate()
            assert service.code() == 0
    assert "550 5.1.1" in line["message"]
    written = "".join(service.lines)
    assert "reader-" not in written
    assert "example.com" not in written
