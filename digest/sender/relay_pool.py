"""Relays: several servers share the messages, by weight, and none gets more than it wants.

A message waits for its turn in one queue, until the gate of its reader's domain is open and some
relay that is well has room. Whoever cannot go yet is passed over, so a slow domain holds up nobody
else. A relay that fails is left alone for a while, and its share moves on.

Health: whether a relay is to be used, as a value that knows no clock.

One relay of several: its transport, its gate, how it is, and how much it has carried.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Final, Protocol, Self

from digest.errors import RelayUnavailable
from digest.lib.email_address import domain_of
from digest.model.delivery import Accepted, Outcome
from digest.sender.message_data import Envelope, Message
from digest.sender.rate_limits import NOT_YET, Limiter, Rates
from digest.sender.smtp import SmtpTransport
from digest.sender.transport import Transport, no_precommit

#: So many failures in a row, and it is the relay: a single one may be due to a single reader.
_FAILURES: Final = 3

#: Seconds for which a relay is left alone at first, and at most.
_FIRST: Final = 30.0
_LONGEST: Final = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayHealth:
    """How often a relay failed in a row, how often it was left alone for that, and until when."""

    failures: int = 0
    times_out: int = 0
    out_until: float = -math.inf

    def is_out(self, now: float) -> bool:
        """Whether it is left alone at this time."""
        return now < self.out_until

    def failed(self, now: float) -> "RelayHealth":
        """After a failure. What was under way when it was given up fails along, and adds nothing.

        Once it was given up, one failure more is enough to be given up again.
        """
        if self.is_out(now):
            return self
        failures = self.failures + 1
        if self.times_out or failures >= _FAILURES:
            return self.given_up(now)
        return replace(self, failures=failures)

    def given_up(self, now: float) -> "RelayHealth":
        """Left alone from now on, each time for twice as long."""
        # The doubling ends before the number is too large to be one.
        span = min(_LONGEST, _FIRST * 2.0 ** min(self.times_out, 16))
        return replace(self, times_out=self.times_out + 1, out_until=now + span)


class Relay:
    """A server that takes messages, until it fails."""

    def __init__(
        self, transport: Transport, *, name: str, weight: int = 1, rates: Rates | None = None
    ) -> None:
        self.transport = transport
        self.name = name
        self.weight = weight
        self.gate = Limiter(transport.connections, rates)
        self.health = RelayHealth()
        self.error: RelayUnavailable | None = None
        self.left_alone = False
        #: Messages by weight. Whoever has the least is next.
        self.carried = 0.0

    def wait(self, now: float) -> float:
        """Seconds until it is well and has room; NOT_YET where one must come out first."""
        return max(self.health.out_until - now, self.gate.wait(now), 0.0)

    def fail(self, error: RelayUnavailable, health: RelayHealth) -> None:
        """It did not take a message, or could not even be entered."""
        self.error, self.health = error, health
        self.left_alone = health.times_out > 0


#: Seconds. No timer is finer, and none is worth setting for less.
_SHORTEST: Final = 0.001

#: So many messages a connection may wait where domains have limits: the more there are to choose
#: from, the better the chance that one may go.
_WAITING: Final = 4


class TimerHandle(Protocol):
    """A timer that can be called off."""

    def cancel(self) -> None:
        """Do not ring."""


class LoopClock(Protocol):
    """The time in seconds, and timers: an event loop, or what a test puts in its place."""

    def time(self) -> float:
        """The time now."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> TimerHandle:
        """Call in so many seconds."""


_Refusals = Mapping[Relay, RelayUnavailable]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A message that waits for its turn: its gate, and the relays that did not take it."""

    gate: Limiter
    refusals: _Refusals
    turn: asyncio.Future[Relay]


class RelayPool:
    """A transport over several others; see `Transport`.

    `domains` are gates by the reader's domain (an A-label in small letters), which all relays keep
    together. RelayUnavailable is raised where every relay is left alone, or has failed with this
    message.
    """

    def __init__(
        self,
        relays: Sequence[Relay],
        domains: Mapping[str, Limiter] | None = None,
        *,
        clock: LoopClock | None = None,
    ) -> None:
        self._relays = tuple(relays)
        self._domains = domains or {}
        self._any_domain = Limiter()
        self._given_clock = clock
        self._queue: deque[_Waiting] = deque()
        self._timer: TimerHandle | None = None

    @property
    def connections(self) -> int:
        """How many tasks keep all relays busy: more than connections, where some must wait."""
        open_at_once = sum(relay.transport.connections for relay in self._relays)
        return open_at_once * (_WAITING if self._domains else 1)

    @property
    def _clock(self) -> LoopClock:
        return self._given_clock or asyncio.get_running_loop()

    async def __aenter__(self) -> Self:
        """Get every relay ready. Raises RelayUnavailable where none can be used.

        Entered again later, it still knows what has gone to whom, so that limits are kept.
        """
        self._queue.clear()
        try:
            await asyncio.gather(*map(self._enter, self._relays))
            self._require_one()
        except BaseException:
            await self._close()
            raise
        return self

    def _require_one(self) -> None:
        if not self._left_for({}, self._clock.time()):
            raise self._trouble({})

    async def _enter(self, relay: Relay) -> None:
        relay.error, relay.health, relay.left_alone = None, RelayHealth(), False
        try:
            await relay.transport.__aenter__()
        except RelayUnavailable as error:
            relay.fail(error, relay.health.given_up(self._clock.time()))

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close every relay."""
        self._set_timer(NOT_YET)
        await self._close()

    async def _close(self) -> None:
        await asyncio.gather(*(one.transport.__aexit__(None, None, None) for one in self._relays))

    async def send(
        self,
        envelope: Envelope,
        message: Message,
        *,
        before_commit: Callable[[], None] = no_precommit,
    ) -> Outcome:
        """Carry one message by whichever relay may; see `Transport.send`."""
        gate = self._domains.get(domain_of(envelope.rcpt_to), self._any_domain)
        refusals: dict[Relay, RelayUnavailable] = {}
        while True:
            relay = await self._turn(gate, refusals)
            try:
                outcome = await relay.transport.send(envelope, message, before_commit=before_commit)
            except RelayUnavailable as error:
                # Nothing has left, so another one may have it.
                relay.fail(error, relay.health.failed(self._clock.time()))
                refusals[relay] = error
            else:
                if relay.error is not None and isinstance(outcome, Accepted):
                    relay.error, relay.health = None, RelayHealth()
                return outcome
            finally:
                self._leave(gate, relay)

    async def _turn(self, gate: Limiter, refusals: _Refusals) -> Relay:
        """The relay for a message, when it is its turn. It has entered both gates then."""
        turn: asyncio.Future[Relay] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(gate=gate, refusals=refusals, turn=turn))
        self._admit()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._leave(gate, turn.result())
            raise

    def _leave(self, gate: Limiter, relay: Relay) -> None:
        gate.leave()
        relay.gate.leave()
        self._admit()

    def _admit(self) -> None:
        """Let everybody in who may go now, in order, and set a timer for the next."""
        now = self._clock.time()
        waiting, self._queue = self._queue, deque()
        soonest = NOT_YET
        while waiting:
            if not any(relay.wait(now) == 0 or relay.health.is_out(now) for relay in self._relays):
                soonest = min(soonest, *(relay.wait(now) for relay in self._relays))
                break
            soonest = min(soonest, self._consider(waiting.popleft(), now))
        self._queue += waiting
        self._set_timer(soonest if self._queue else NOT_YET)

    def _consider(self, one: _Waiting, now: float) -> float:
        """Let one in, or put it back in the queue; seconds until it is worth another look."""
        if one.turn.done():
            return NOT_YET  # Whoever waited has been cancelled.
        left = self._left_for(one.refusals, now)
        if not left:
            one.turn.set_exception(self._trouble(one.refusals))
            return NOT_YET
        free = [relay for relay in left if relay.wait(now) == 0]
        wait = max(one.gate.wait(now), min(relay.wait(now) for relay in left))
        if wait > 0:
            self._queue.append(one)
            return wait
        relay = min(free, key=lambda relay: relay.carried)
        if relay.left_alone:
            self._take_back(relay)
        one.gate.enter(now)
        relay.gate.enter(now)
        relay.carried += 1 / relay.weight
        one.turn.set_result(relay)
        return NOT_YET

    def _left_for(self, refusals: _Refusals, now: float) -> list[Relay]:
        """The relays that are well, and have not failed with this message."""
        well = (relay for relay in self._relays if not relay.health.is_out(now))
        return [relay for relay in well if relay not in refusals]

    def _take_back(self, relay: Relay) -> None:
        """Try again a relay that was left alone; it need not make up for what it missed."""
        others = (other.carried for other in self._relays if not other.left_alone)
        relay.carried = max(relay.carried, min(others, default=0.0))
        relay.left_alone = False
        if isinstance(relay.transport, SmtpTransport):
            relay.transport.forgive()

    def _trouble(self, refusals: _Refusals) -> RelayUnavailable:
        """Why no relay is left: what each said to this message, or why it is left alone."""
        found = ((relay.name, refusals.get(relay, relay.error)) for relay in self._relays)
        errors = [(name, error) for name, error in found if error is not None]
        if len(errors) == 1:
            return errors[0][1]
        told = "; ".join(f"{name}: {error.message}" for name, error in errors)
        return RelayUnavailable(f"no relay can be used ({told})", hint=errors[0][1].hint)

    def _set_timer(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds < NOT_YET:
            self._timer = self._clock.call_later(max(seconds, _SHORTEST), self._admit)
