"""Several relays share the messages, by weight, and none gets more than its limits allow.

A message waits in one queue until the limit of its reader's domain and that of some relay allow it.
Whatever cannot go yet is passed over, so a slow domain delays nobody else. A relay that fails is
suspended for a while, and the others take over its share.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol, Self

from digest.errors import RelayUnavailable
from digest.lib.backoff import Backoff
from digest.lib.email_address import domain_of
from digest.model.delivery import Accepted, Outcome
from digest.sender.message_data import Envelope, Message
from digest.sender.rate_limits import AFTER_ANOTHER, Limiter, Rates
from digest.sender.transport import Precommit, Transport, no_precommit

#: Failures in a row after which a relay is suspended: a single one may be due to a single reader.
_FAILURES: Final = 3

#: For how long a relay is suspended.
_SUSPENSION: Final = Backoff(first=timedelta(seconds=30), longest=timedelta(minutes=15))

#: Seconds. No timer is finer, and none is worth setting for less.
_SHORTEST: Final = 0.001

#: Messages that wait for each connection where domains have limits: the more there are to choose
#: from, the better the chance that one may go.
_WAITING: Final = 4


class TimerHandle(Protocol):
    """A timer that can be cancelled."""

    def cancel(self) -> None:
        """Do not call."""


class LoopClock(Protocol):
    """The time in seconds, and timers: an event loop, or what a test puts in its place."""

    def time(self) -> float:
        """The time now."""

    def call_later(self, delay: float, callback: Callable[[], None], /) -> TimerHandle:
        """Call in so many seconds."""


class RelayTransport(Transport, Protocol):
    """A transport that a pool can suspend and take up again."""

    def forget_failures(self) -> None:
        """Try again, however often it failed before: the pool has waited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayHealth:
    """How often a relay failed in a row, how often it was suspended for that, and until when.

    It knows no clock: the time is passed in.
    """

    failures: int = 0
    suspensions: int = 0
    suspended_until: float = -math.inf

    def is_suspended(self, now: float) -> bool:
        """Whether it gets no messages at this time."""
        return now < self.suspended_until

    def failed(self, now: float) -> "RelayHealth":
        """After a failure. What was under way when it was suspended fails too, and adds nothing.

        After a suspension, one more failure is enough for the next one.
        """
        if self.is_suspended(now):
            return self
        failures = self.failures + 1
        if self.suspensions or failures >= _FAILURES:
            return self.suspended(now)
        return replace(self, failures=failures)

    def suspended(self, now: float) -> "RelayHealth":
        """Suspended from now on, each time for twice as long."""
        suspensions = self.suspensions + 1
        until = now + _SUSPENSION.after(suspensions).total_seconds()
        return replace(self, suspensions=suspensions, suspended_until=until)


class Relay:
    """A server of the pool: its transport, its limits, its health, and its share so far."""

    def __init__(
        self, transport: RelayTransport, *, name: str, weight: int = 1, rates: Rates | None = None
    ) -> None:
        self.transport = transport
        self.name = name
        self.weight = weight
        self.limiter = Limiter(transport.connections, rates)
        self.health = RelayHealth()
        self.error: RelayUnavailable | None = None
        #: From a suspension to the first message after it.
        self.suspended = False
        #: Messages by weight. The relay with the least is next.
        self.carried = 0.0

    def wait(self, now: float) -> float:
        """Seconds until it may have a message; AFTER_ANOTHER where one must end first."""
        return max(self.health.suspended_until - now, self.limiter.wait(now), 0.0)

    def fail(self, error: RelayUnavailable, health: RelayHealth) -> None:
        """It did not take a message, or could not even be entered."""
        self.error, self.health = error, health
        self.suspended = health.suspensions > 0

    def recover(self) -> None:
        """It has taken a message, or starts anew."""
        self.error, self.health = None, RelayHealth()


_Refusals = Mapping[Relay, RelayUnavailable]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    """A message in the queue: the limit of its domain, and the relays that did not take it."""

    limiter: Limiter
    refusals: _Refusals
    relay: asyncio.Future[Relay]


class RelayPool:
    """A transport over several others; see `Transport`.

    `domains` are limits by the reader's domain (an A-label in small letters), which all relays keep
    together. RelayUnavailable is raised where every relay is suspended, or has failed with this
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
            self._require_available()
        except BaseException:
            await self._close()
            raise
        return self

    def _require_available(self) -> None:
        if not self._available({}, self._clock.time()):
            raise self._unavailable({})

    async def _enter(self, relay: Relay) -> None:
        relay.recover()
        relay.suspended = False
        try:
            await relay.transport.__aenter__()
        except RelayUnavailable as error:
            relay.fail(error, relay.health.suspended(self._clock.time()))

    async def __aexit__(self, *_: object) -> None:
        """Close every relay."""
        self._set_timer(AFTER_ANOTHER)
        await self._close()

    async def _close(self) -> None:
        closing = (relay.transport.__aexit__(None, None, None) for relay in self._relays)
        await asyncio.gather(*closing)

    async def send(
        self, envelope: Envelope, message: Message, *, before_commit: Precommit = no_precommit
    ) -> Outcome:
        """Carry one message by whichever relay may; see `Transport.send`."""
        limiter = self._domains.get(domain_of(envelope.rcpt_to), self._any_domain)
        refusals: dict[Relay, RelayUnavailable] = {}
        while True:
            relay = await self._next_relay(limiter, refusals)
            try:
                outcome = await relay.transport.send(envelope, message, before_commit=before_commit)
            except RelayUnavailable as error:
                # Nothing has left, so another one may have it.
                relay.fail(error, relay.health.failed(self._clock.time()))
                refusals[relay] = error
            else:
                if relay.error is not None and isinstance(outcome, Accepted):
                    relay.recover()
                return outcome
            finally:
                self._leave(limiter, relay)

    async def _next_relay(self, limiter: Limiter, refusals: _Refusals) -> Relay:
        """The relay for a message, when it is its turn. It counts for both limits then."""
        future: asyncio.Future[Relay] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(limiter=limiter, refusals=refusals, relay=future))
        self._admit()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._leave(limiter, future.result())
            raise

    def _leave(self, limiter: Limiter, relay: Relay) -> None:
        limiter.leave()
        relay.limiter.leave()
        self._admit()

    def _admit(self) -> None:
        """Let every message go that may go now, in order, and set a timer for the next."""
        now = self._clock.time()
        waiting, self._queue = self._queue, deque()
        soonest = AFTER_ANOTHER
        while waiting:
            if not any(
                relay.wait(now) == 0 or relay.health.is_suspended(now) for relay in self._relays
            ):
                soonest = min(soonest, *(relay.wait(now) for relay in self._relays))
                break
            soonest = min(soonest, self._consider(waiting.popleft(), now))
        self._queue += waiting
        self._set_timer(soonest if self._queue else AFTER_ANOTHER)

    def _consider(self, message: _Waiting, now: float) -> float:
        """Let a message go, or put it back in the queue; seconds until it may be worth a look."""
        if message.relay.done():
            return AFTER_ANOTHER  # Its task has been cancelled.
        available = self._available(message.refusals, now)
        if not available:
            message.relay.set_exception(self._unavailable(message.refusals))
            return AFTER_ANOTHER
        wait = max(message.limiter.wait(now), min(relay.wait(now) for relay in available))
        if wait > 0:
            self._queue.append(message)
            return wait
        free = (relay for relay in available if relay.wait(now) == 0)
        relay = min(free, key=lambda relay: relay.carried)
        if relay.suspended:
            self._resume(relay)
        message.limiter.enter(now)
        relay.limiter.enter(now)
        relay.carried += 1 / relay.weight
        message.relay.set_result(relay)
        return AFTER_ANOTHER

    def _available(self, refusals: _Refusals, now: float) -> list[Relay]:
        """The relays that are not suspended, and have not failed with this message."""
        return [
            relay
            for relay in self._relays
            if relay not in refusals and not relay.health.is_suspended(now)
        ]

    def _resume(self, relay: Relay) -> None:
        """Try a relay again after a suspension; it need not make up for what it missed."""
        others = (other.carried for other in self._relays if not other.suspended)
        relay.carried = max(relay.carried, min(others, default=0.0))
        relay.suspended = False
        relay.transport.forget_failures()

    def _unavailable(self, refusals: _Refusals) -> RelayUnavailable:
        """Why no relay is left: what each said to this message, or why it is suspended."""
        answers = ((relay.name, refusals.get(relay, relay.error)) for relay in self._relays)
        errors = [(name, error) for name, error in answers if error is not None]
        if len(errors) == 1:
            return errors[0][1]
        reasons = "; ".join(f"{name}: {error.message}" for name, error in errors)
        return RelayUnavailable(f"no relay can be used ({reasons})", hint=errors[0][1].hint)

    def _set_timer(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds < AFTER_ANOTHER:
            self._timer = self._clock.call_later(max(seconds, _SHORTEST), self._admit)
