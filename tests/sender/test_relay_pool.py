"""The pool of relays, on a clock that is turned by hand."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from digest.config.settings import DomainLimits, Quota, SmtpSettings
from digest.errors import RelayUnavailable
from digest.model.delivery import Accepted, Deferred, Outcome
from digest.sender.factory import limiter_of, rates_of, relay_of
from digest.sender.message_data import Envelope
from digest.sender.rate_limits import Limiter, Rates, SlidingWindow, TokenBucket
from digest.sender.relay_pool import Relay, RelayPool
from digest.sender.smtp import SmtpTransport
from tests.faults.script import Action, Moment, Stage
from tests.faults.scripted_server import ScriptedServer
from tests.recording_transport import ACCEPTED, RecordingTransport
from tests.sender.hand_clock import HandClock

Settings = Callable[..., SmtpSettings]
MESSAGE = b"Subject: Tuesday\r\n\r\nNews.\r\n"


@dataclass
class Carried:
    """What went out: by which relay, to whom, when."""

    clock: HandClock
    attempts: list[tuple[str, str, float]] = field(default_factory=list)

    def relay(
        self,
        name: str,
        *,
        weight: int = 1,
        connections: int = 4,
        rates: Sequence[Any] = (),
        fails: Callable[[str, float], bool] = lambda reader, now: False,
    ) -> Relay:
        def answer(envelope: Envelope, message: bytes) -> Outcome:
            if fails(envelope.rcpt_to, self.clock.now):
                raise RelayUnavailable(f"{name} is at fault", hint="Try later.")
            self.attempts.append((name, envelope.rcpt_to, self.clock.now))
            return ACCEPTED

        transport = RecordingTransport(answer, connections=connections)
        return Relay(transport, name=name, weight=weight, rates=Rates(rates=tuple(rates)))

    @property
    def shares(self) -> Mapping[str, int]:
        return Counter(name for name, _, _ in self.attempts)

    @property
    def readers(self) -> list[str]:
        return [reader for _, reader, _ in self.attempts]

    def times(self, domain: str = "") -> list[float]:
        return [at for _, reader, at in self.attempts if reader.endswith(domain)]


def names(count: int, domain: str = "example.com") -> list[str]:
    return [f"reader{number}@{domain}" for number in range(count)]


async def send_all(
    pool: RelayPool, readers: Sequence[str], workers: int | None = None
) -> dict[str, Outcome | RelayUnavailable]:
    """Send as the program does: so many workers, each with one message at a time."""
    results: dict[str, Outcome | RelayUnavailable] = {}
    queue = iter(readers)

    async def work() -> None:
        for reader in queue:
            envelope = Envelope(mail_from="news@example.org", rcpt_to=reader)
            try:
                results[reader] = await pool.send(envelope, MESSAGE)
            except RelayUnavailable as error:
                results[reader] = error

    async with pool:
        await asyncio.gather(*(work() for _ in range(workers or pool.connections)))
    return results


def carry(
    carried: Carried,
    relays: Sequence[Relay],
    readers: Sequence[str],
    domains: Mapping[str, Limiter] | None = None,
    workers: int | None = None,
) -> dict[str, Outcome | RelayUnavailable]:
    async def main() -> dict[str, Outcome | RelayUnavailable]:
        pool = RelayPool(relays, domains, clock=carried.clock)
        results = await carried.clock.finish(send_all(pool, readers, workers))
        assert carried.clock.pending == 0
        return results

    return asyncio.run(main())


def test_relays_share_by_weight_while_there_is_a_choice() -> None:
    carried = Carried(HandClock())
    relays = [carried.relay("large", weight=3), carried.relay("small", weight=1)]

    carry(carried, relays, names(400), workers=4)

    assert carried.shares == {"large": 300, "small": 100}


def test_no_connection_stays_idle_for_the_sake_of_a_share() -> None:
    carried = Carried(HandClock())
    relays = [carried.relay("large", weight=99), carried.relay("small", weight=1)]

    carry(carried, relays, names(400), workers=8)

    assert carried.shares == {"large": 200, "small": 200}


def test_what_has_no_room_gives_its_share_away() -> None:
    carried = Carried(HandClock())
    slow = carried.relay("slow", weight=9, rates=[TokenBucket.of(1)])
    relays = [slow, carried.relay("quick")]

    carry(carried, relays, names(100))

    assert carried.shares == {"slow": 1, "quick": 99}
    assert set(carried.times()) == {1000.0}


def test_a_relay_that_is_absent_at_the_start_is_done_without() -> None:
    class Absent(RecordingTransport):
        async def __aenter__(self) -> "Absent":
            raise RelayUnavailable("nobody answers at absent:25", hint="Look there.")

    carried = Carried(HandClock())
    relays = [Relay(Absent(), name="absent", weight=9), carried.relay("there")]

    results = carry(carried, relays, names(20))

    assert carried.shares == {"there": 20}
    assert all(isinstance(result, Accepted) for result in results.values())


def test_without_any_relay_each_is_named() -> None:
    class Absent(RecordingTransport):
        async def __aenter__(self) -> "Absent":
            raise RelayUnavailable("nobody answers", hint="Look there.")

    async def main() -> None:
        relays = [Relay(Absent(), name="first"), Relay(Absent(), name="second")]
        with pytest.raises(RelayUnavailable) as caught:
            async with RelayPool(relays, clock=HandClock()):
                pass
        assert caught.value.message == (
            "no relay can be used (first: nobody answers; second: nobody answers)"
        )
        assert caught.value.hint == "Look there."

    asyncio.run(main())


def test_when_a_relay_fails_its_share_moves_on_and_comes_back_later() -> None:
    carried = Carried(HandClock())
    # Ill for the first hour. The other one is slow, so that there is a second hour.
    ill = carried.relay("ill", fails=lambda reader, now: now < 4600)
    relays = [ill, carried.relay("well", rates=[TokenBucket.of(0.1)])]

    results = carry(carried, relays, names(700))

    assert all(isinstance(result, Accepted) for result in results.values())
    assert sorted(carried.readers) == sorted(names(700))
    back = min(at for name, _, at in carried.attempts if name == "ill")
    assert 4600 <= back <= 4600 + 900


def test_one_reader_that_no_relay_takes_ends_no_relay() -> None:
    carried = Carried(HandClock())

    def denied(reader: str, now: float) -> bool:
        return reader == "reader7@example.com"

    relays = [carried.relay("one", fails=denied), carried.relay("two", fails=denied)]

    results = carry(carried, relays, names(50))

    failed = [reader for reader, result in results.items() if not isinstance(result, Accepted)]
    assert failed == ["reader7@example.com"]
    assert str(results["reader7@example.com"]) == (
        "no relay can be used (one: one is at fault; two: two is at fault)"
    )


def test_when_all_fail_whoever_waits_is_told() -> None:
    carried = Carried(HandClock())

    def fails(reader: str, now: float) -> bool:
        return len(carried.attempts) >= 10

    relays = [carried.relay(name, connections=2, fails=fails) for name in ("one", "two")]

    results = carry(carried, relays, names(60), workers=20)

    assert len(results) == 60
    assert sum(isinstance(result, RelayUnavailable) for result in results.values()) == 50
    assert len(carried.attempts) == 10


def test_a_relay_keeps_its_rate_and_its_quota() -> None:
    carried = Carried(HandClock())
    rates = [TokenBucket.of(2), SlidingWindow(limit=10, window=3600)]

    carry(carried, [carried.relay("only", rates=rates)], names(25))

    times = [at - 1000 for at in carried.times()]
    assert times[:10] == pytest.approx([number / 2 for number in range(10)])
    assert times[10] >= 3600
    assert times[20] >= times[10] + 3600


def test_a_slow_domain_holds_up_nobody_else() -> None:
    carried = Carried(HandClock())
    domains = {"slow.example": limiter_of(DomainLimits(messages_per_second=0.5))}
    readers = [*names(5, "slow.example"), *names(40), *names(5, "SLOW.example")]

    carry(carried, [carried.relay("only")], readers, domains)

    slow = [at - 1000 for _, reader, at in carried.attempts if "slow" in reader.lower()]
    assert slow == pytest.approx([2.0 * number for number in range(10)])
    assert set(carried.times("@example.com")) == {1000.0}


@hypothesis_settings(max_examples=40, deadline=None)
@given(
    seconds=st.lists(st.integers(1, 30), min_size=1, max_size=3),
    quota=st.integers(1, 30),
    domain=st.integers(1, 10),
    share=st.floats(0, 1),
)
def test_no_limit_is_ever_broken(seconds: list[int], quota: int, domain: int, share: float) -> None:
    carried = Carried(HandClock())
    relays = [
        carried.relay(
            f"relay{limit}-{place}",
            rates=[TokenBucket.of(limit), SlidingWindow(limit=quota, window=60)],
        )
        for place, limit in enumerate(seconds)
    ]
    limited = int(60 * share)
    readers = [*names(limited, "slow.example"), *names(60 - limited)]

    results = carry(
        carried,
        relays,
        readers,
        {"slow.example": Limiter(rates=rates_of(DomainLimits(messages_per_second=domain)))},
    )

    assert sorted(carried.readers) == sorted(readers)
    assert len(results) == 60
    assert most_within(carried.times("slow.example"), 1) <= domain
    for relay, limit in zip(relays, seconds, strict=True):
        times = [at for name, _, at in carried.attempts if name == relay.name]
        assert most_within(times, 1) <= limit
        assert most_within(times, 60) <= quota


def most_within(times: list[float], span: float) -> int:
    counts = (sum(1 for t in times[i:] if t < first + span - 1e-6) for i, first in enumerate(times))
    return max(counts, default=0)


def test_whoever_is_cancelled_while_waiting_takes_no_place_along() -> None:
    async def main() -> None:
        clock = HandClock()
        carried = Carried(clock)
        rate = [SlidingWindow(limit=1, window=60)]
        pool = RelayPool([carried.relay("only", connections=1, rates=rate)], clock=clock)
        async with pool:
            envelopes = [Envelope(mail_from="", rcpt_to=name) for name in names(3)]
            first = await pool.send(envelopes[0], MESSAGE)
            waiting = [asyncio.create_task(pool.send(one, MESSAGE)) for one in envelopes[1:]]
            await asyncio.sleep(0)
            waiting[0].cancel()
            second = await clock.finish(_result(waiting[1]))
            assert isinstance(first, Accepted)
            assert isinstance(second, Accepted)
            assert waiting[0].cancelled()
        assert carried.readers == ["reader0@example.com", "reader2@example.com"]

    asyncio.run(main())


async def _result(task: "asyncio.Task[Outcome]") -> Outcome:
    return await task


def test_a_deferral_is_an_answer_and_no_failure_of_the_relay() -> None:
    async def main() -> None:
        deferred = Deferred(reason="the server deferred the reader's address")
        transport = RecordingTransport({"ada@example.com": deferred})
        async with RelayPool([Relay(transport, name="only")], clock=HandClock()) as pool:
            outcome = await pool.send(Envelope(mail_from="", rcpt_to="ada@example.com"), MESSAGE)
        assert outcome == deferred
        assert len(transport.attempts) == 1

    asyncio.run(main())


# With real servers.


def test_a_server_that_is_given_up_hands_over_to_the_other_and_nobody_gets_it_twice(
    settings: Settings,
) -> None:
    def dies(moment: Moment) -> Action | None:
        if moment.stage is Stage.DOT and moment.nth == 20:
            dying.stop_listening()
            for task in dying._tasks:
                task.cancel()
        return None

    async def main() -> None:
        async with dying, ScriptedServer() as other:
            relays = [
                relay_of(settings(server.port, connections=3, name=f"server{server.port}"))
                for server in (dying, other)
            ]
            results = await send_all(RelayPool(relays), names(120))

        had = dying.readers + other.readers
        assert len(had) == len(set(had))
        accepted = {reader for reader, result in results.items() if isinstance(result, Accepted)}
        assert accepted <= set(had)
        assert len(accepted) >= 117  # At most the three that were under way have another end.
        assert len(dying.readers) in range(17, 24)

    dying = ScriptedServer(dies)
    asyncio.run(main())


def test_a_domain_has_no_more_connections_than_it_may(settings: Settings) -> None:
    open_now: set[int] = set()
    most = 0

    def script(moment: Moment) -> Action | None:
        nonlocal most
        if moment.stage is Stage.RCPT and b"slow.example" in moment.argument:
            open_now.add(moment.connection)
            most = max(most, len(open_now))
        if moment.stage is Stage.DOT:
            open_now.discard(moment.connection)
        return None

    async def main() -> None:
        async with ScriptedServer(script) as server:
            relays = [relay_of(settings(server.port, connections=6))]
            pool = RelayPool(relays, {"slow.example": limiter_of(DomainLimits(connections=2))})
            await send_all(pool, [*names(30, "slow.example"), *names(30)])
            assert len(server.accepted) == 60
            assert len(server.connections) == 6

    asyncio.run(main())
    assert most == 2


@pytest.mark.parametrize("connections", [1, 3])
def test_a_connection_is_left_after_its_share_and_none_is_open_beside_it(
    settings: Settings, connections: int
) -> None:
    async def main() -> None:
        async with ScriptedServer(per_connection=4) as server:
            limited = settings(server.port, connections=connections, messages_per_connection=4)
            async with SmtpTransport(limited) as transport:
                envelopes = [Envelope(mail_from="", rcpt_to=name) for name in names(24)]
                await asyncio.gather(*(transport.send(one, MESSAGE) for one in envelopes))
            assert sorted(server.readers) == sorted(names(24))
            assert all(seen.dots <= 4 for seen in server.connections)
            assert all(seen.commands[-1] == b"QUIT" for seen in server.connections)
            assert 6 <= len(server.connections) <= 6 + connections

    asyncio.run(main())


def test_limits_become_rates() -> None:
    limits = SmtpSettings(
        host="mail.example.com",
        port=25,
        security="none",  # type: ignore[arg-type]  # what it is does not matter here
        messages_per_second=10,
        messages_per_window=Quota(messages=1000, window=timedelta(hours=1)),
    )

    assert rates_of(limits).rates == (
        TokenBucket.of(10),
        SlidingWindow(limit=1000, window=3600.0),
    )
