"""A send that is interrupted at any point, then repeated."""

import os
from collections import Counter
from collections.abc import Callable, Sequence
from email import message_from_bytes
from pathlib import Path
from typing import Literal

import pytest

from digest.model.delivery import Outcome, Rejected, Reply
from digest.publishing.status import status
from digest.sender.folder import FolderTransport
from digest.sender.message_data import Envelope, Message
from digest.sender.transport import Transport, no_precommit
from tests.publishing.paper import NOW, Paper
from tests.recording_transport import RecordingTransport

READERS = [f"reader-{n}@example.com" for n in range(4)]

Phase = Literal["before the claim", "after the claim", "after acceptance"]


class Mortal(FolderTransport):
    """Writes files like its parent, and dies with the process at one moment of one message."""

    def __init__(self, folder: Path, *, message: int, phase: Phase) -> None:
        super().__init__(folder)
        self._remaining = message
        self._phase = phase

    async def send(
        self,
        envelope: Envelope,
        message: bytes | Sequence[bytes],
        *,
        before_commit: Callable[[], None] = no_precommit,
    ) -> Outcome:
        self._remaining -= 1
        last = self._remaining == 0
        if last and self._phase == "before the claim":
            os._exit(9)

        def claim() -> None:
            before_commit()
            if last and self._phase == "after the claim":
                os._exit(9)

        outcome = await super().send(envelope, message, before_commit=claim)
        if last and self._phase == "after acceptance":
            os._exit(9)
        return outcome


def killed_while_sending(paper: Paper, transport: Transport) -> None:
    """Run a send in a process of its own, which dies like one that is killed with -9."""
    child = os.fork()
    if child == 0:
        try:
            paper.send(transport)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


def received(folder: Path) -> Counter[str]:
    return Counter(
        str(message_from_bytes(file.read_bytes())["To"]) for file in folder.glob("*.eml")
    )


@pytest.mark.parametrize("message", [1, 2, 3, 4])
@pytest.mark.parametrize("phase", ["before the claim", "after the claim", "after acceptance"])
def test_after_a_kill_nobody_has_it_twice_and_who_does_not_surely_have_it_is_listed(
    paper: Paper, tmp_path: Path, message: int, phase: Phase
) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    outbox = tmp_path / "outbox"
    killed_while_sending(paper, Mortal(outbox, message=message, phase=phase))
    paper.send(FolderTransport(outbox))
    arrived = received(outbox)
    standing = status(paper.settings, paper.newsletter, now=NOW).editions[0]
    listed = {one.email for one in standing.unfinished}
    assert set(arrived.values()) <= {1}
    # One connection was open: at most one message can be in doubt, and then it is listed.
    if phase == "before the claim":
        assert listed == set()
    else:
        assert listed == {READERS[message - 1]}
    assert set(READERS) - set(arrived) <= listed
    assert paper.value("select count(*) from editions") == 1


def test_a_kill_while_preparing_leaves_no_half_edition(paper: Paper, tmp_path: Path) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    paper.run(
        "create trigger the_plug before insert on deliveries when new.subscriber_id = 3"
        " begin select raise(abort, 'pulled'); end"
    )
    child = os.fork()
    if child == 0:
        try:
            paper.send(FolderTransport(tmp_path / "outbox"))
        finally:
            os._exit(9)
    os.waitpid(child, 0)
    for table in ("editions", "stories", "decisions", "deliveries", "variants"):
        assert paper.value(f"select count(*) from {table}") == 0  # noqa: S608
    paper.run("drop trigger the_plug")
    paper.send(FolderTransport(tmp_path / "outbox"))
    assert received(tmp_path / "outbox").keys() == set(READERS)


class MortalServer(RecordingTransport):
    """Rejects every message after its final dot, and dies with the process at the fourth."""

    async def send(
        self,
        envelope: Envelope,
        message: Message,
        *,
        before_commit: Callable[[], None] = no_precommit,
    ) -> Outcome:
        """Carry one."""
        before_commit()
        if len(self.attempts) == 3:
            os._exit(9)
        return await super().send(envelope, message)


def test_rejections_that_were_not_decided_before_a_kill_are_no_readers_fault(
    paper: Paper, tmp_path: Path
) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    no = Rejected(reason="no", reply=Reply(code=550, text="relay denied"))
    killed_while_sending(paper, MortalServer(dict.fromkeys(READERS, no)))
    paper.send(FolderTransport(tmp_path / "outbox"))
    assert list(paper.states().values()) == ["sent", "sent", "sent", "unknown"]


def test_rejections_that_were_decided_before_a_kill_are_final(paper: Paper, tmp_path: Path) -> None:
    paper.publish("Ferry late")
    paper.subscribe(*READERS)
    no = Rejected(reason="no", reply=Reply(code=550, text="no such user"))
    killed_while_sending(paper, MortalServer(dict.fromkeys(READERS[:2], no)))
    paper.send(FolderTransport(tmp_path / "outbox"))
    assert list(paper.states().values()) == ["rejected", "rejected", "sent", "unknown"]
