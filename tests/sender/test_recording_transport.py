import asyncio
from functools import partial

import pytest

from digest.errors import RelayUnavailable
from digest.model.delivery import Accepted, Deferred, Outcome, Rejected, Unknown
from digest.sender.message_data import Envelope
from digest.sender.transport import Transport
from tests.recording_transport import RecordingTransport


def to(reader: str) -> Envelope:
    return Envelope(mail_from="news@example.org", rcpt_to=reader)


def test_everybody_is_accepted_unless_told_otherwise() -> None:
    gone = Rejected(reason="no such user")
    recorder = RecordingTransport({"gone@example.com": gone})

    async def main() -> list[Outcome]:
        transport: Transport = recorder
        async with transport:
            names = ["ada@example.com", "gone@example.com"]
            return [await transport.send(to(name), name.encode()) for name in names]

    outcomes = asyncio.run(main())

    assert isinstance(outcomes[0], Accepted)
    assert outcomes[1] == gone
    assert [attempt.message for attempt in recorder.attempts] == [
        b"ada@example.com",
        b"gone@example.com",
    ]
    assert [attempt.envelope.rcpt_to for attempt in recorder.accepted] == ["ada@example.com"]


def test_a_function_may_answer_or_raise() -> None:
    def answer(envelope: Envelope, message: bytes) -> Outcome:
        if envelope.rcpt_to.startswith("down"):
            raise RelayUnavailable("the relay is down")
        return Deferred(reason=message.decode())

    async def main() -> None:
        async with RecordingTransport(answer, connections=3) as transport:
            assert transport.connections == 3
            assert await transport.send(to("ada@example.com"), b"x") == Deferred(reason="x")
            with pytest.raises(RelayUnavailable):
                await transport.send(to("down@example.com"), b"x")
            assert len(transport.attempts) == 1

    asyncio.run(main())


def test_only_what_came_to_the_final_dot_is_announced() -> None:
    answers: dict[str, Outcome] = {
        "deferred": Deferred(reason="later"),
        "rejected": Rejected(reason="never"),
        "unknown": Unknown(reason="who knows"),
    }
    announced: list[str] = []

    async def main() -> None:
        async with RecordingTransport(answers) as transport:
            for name in [*answers, "accepted"]:
                announce = partial(announced.append, name)
                await transport.send(to(name), b"", before_commit=announce)

    asyncio.run(main())

    assert announced == ["unknown", "accepted"]
