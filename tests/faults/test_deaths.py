"""One delivery, killed with -9 at fifty random moments; and one whose machine lost its power."""

import signal
from random import Random

import pytest

from digest.publishing.delivery.queue import MOST
from digest.storage.send_journal import journal_of
from tests.faults.accounts import assert_accounts_balance
from tests.faults.gazette import CONNECTIONS, READERS, Gazette, Target
from tests.faults.script import Moment, Stage, once
from tests.faults.scripted_server import ScriptedServer, serving

pytestmark = pytest.mark.slow

KILLS = 50

#: Where a connection can be when the sender dies; most of its life is between these.
STAGES = (
    Stage.GREETING,
    Stage.EHLO,
    Stage.MAIL,
    Stage.RCPT,
    Stage.DATA,
    Stage.BODY,
    Stage.DOT,
    Stage.DOT,
    Stage.DOT,
)


class Fate:
    """A script that kills the target when it has come to a stage so many times from now on."""

    def __init__(self) -> None:
        self._target = Target()
        self._stage = Stage.QUIT
        self._left = 0

    def decide(self, stage: Stage, times: int) -> Target:
        """The target is new each time: nobody takes aim at the process of an earlier life."""
        self._target, self._stage, self._left = Target(), stage, times
        return self._target

    def __call__(self, moment: Moment) -> None:
        if moment.stage is self._stage and self._left:
            self._left -= 1
            if not self._left:
                self._target.hit(signal.SIGKILL)


def test_a_delivery_that_is_killed_fifty_times_serves_everybody_once_or_lists_them(
    gazette: Gazette,
) -> None:
    random = Random(50)  # noqa: S311
    fate = Fate()
    with serving(ScriptedServer(fate)) as server:
        gazette.at(server)
        for _ in range(KILLS):
            stage = random.choice(STAGES)
            opening = stage in (Stage.GREETING, Stage.EHLO)
            target = fate.decide(stage, random.randint(1, CONNECTIONS if opening else 350))
            with gazette.running("send") as sender:
                assert target.aim(sender).ended().code == -signal.SIGKILL
            server.from_outside(server.everybody_left)
        assert len(server.accepted) < READERS
        gazette.digest("send", codes=(0, 5))
    assert_accounts_balance(gazette, server, deaths=KILLS)


def test_a_power_cut_that_takes_the_end_of_the_journal_makes_one_batch_unknown_at_most(
    gazette: Gazette,
) -> None:
    random = Random(3_000)  # noqa: S311
    target = Target()
    script = once(Stage.DOT, 3_000, lambda: target.hit(signal.SIGKILL))
    with serving(ScriptedServer(script)) as server:
        gazette.at(server)
        with gazette.running("send") as sender:
            target.aim(sender).ended()
        server.from_outside(server.everybody_left)
        # What was not synchronised is gone, and the machine has started anew.
        journal = journal_of(gazette.database)
        header, _, lines = journal.read_bytes().partition(b"\n")
        kept = lines[: random.randrange(len(lines))]
        journal.write_bytes(header.rpartition(b" ")[0] + b" another-boot\n" + kept)
        gazette.digest("send", codes=(5,))
    assert_accounts_balance(gazette, server, deaths=MOST // CONNECTIONS)
