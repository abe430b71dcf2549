"""A transport that carries nothing: it keeps what it was given and answers as it was told."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

from digest.model.delivery import Accepted, Outcome, Reply, Unknown
from digest.sender.message_data import Envelope, Message, joined
from digest.sender.transport import no_precommit

ACCEPTED: Final = Accepted(reply=Reply(code=250, text="recorded"))

Answers = Callable[[Envelope, bytes], Outcome] | Mapping[str, Outcome]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One attempt: what was handed over, and what was answered."""

    envelope: Envelope
    message: bytes
    outcome: Outcome


class RecordingTransport:
    """Records every attempt in `attempts`.

    `answers` maps readers' addresses to outcomes, everybody else being Accepted, or is a function
    of envelope and message, which may also raise what a transport raises. Outcomes that imply a
    final dot, Accepted and Unknown, are announced by `before_commit`.
    """

    def __init__(self, answers: Answers | None = None, *, connections: int = 1) -> None:
        self._answers = {} if answers is None else answers
        self._connections = connections
        self.attempts: list[Recorded] = []

    @property
    def connections(self) -> int:
        """As many as it was made with."""
        return self._connections

    @property
    def accepted(self) -> list[Recorded]:
        """The attempts that were answered with Accepted, in order."""
        return [attempt for attempt in self.attempts if isinstance(attempt.outcome, Accepted)]

    async def __aenter__(self) -> Self:
        """Nothing needs to be opened."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Nothing is left to close."""

    def forget_failures(self) -> None:
        """It has none."""

    async def send(
        self,
        envelope: Envelope,
        message: Message,
        *,
        before_commit: Callable[[], None] = no_precommit,
    ) -> Outcome:
        """Record one message; see `Transport.send`."""
        # As with a server, others get their turn while this one is on its way.
        await asyncio.sleep(0)
        text = joined(message)
        outcome = self._answer(envelope, text)
        if isinstance(outcome, Accepted | Unknown):
            before_commit()
        self.attempts.append(Recorded(envelope=envelope, message=text, outcome=outcome))
        return outcome

    def _answer(self, envelope: Envelope, message: bytes) -> Outcome:
        if isinstance(self._answers, Mapping):
            return self._answers.get(envelope.rcpt_to, ACCEPTED)
        return self._answers(envelope, message)
