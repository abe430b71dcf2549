"""Sending by way of a real Postfix: what it refuses, puts off, or drops, and what comes of it."""

from collections.abc import Callable

import pytest

from digest.model.delivery import DeliveryState
from digest.publishing.delivery.worker import Progress
from digest.publishing.maintenance import audit
from tests.postfix.line import Line, readers

#: Postfix asks the table first; whoever is not in it may have mail.
BY_TABLE = "check_recipient_access regexp:FOLDER/readers, permit_mynetworks, reject"


@pytest.mark.slow
def test_thousands_of_readers_get_it_once_in_pipelines_that_postfix_approves_of(
    line: Line,
) -> None:
    everybody = readers(2000)
    line.paper.subscribe(*everybody)
    report = line.send()
    assert report.complete
    line.prove_sent_to(everybody)
    assert not [entry for entry in line.postfix.log() if "pipelining" in entry or "lost" in entry]


def test_a_message_larger_than_postfix_says_it_takes_is_nobodys_fault(line: Line) -> None:
    everybody = readers(8)
    line.paper.subscribe(*everybody)
    line.postfix.become(message_size_limit="4000")
    report = line.send()
    assert report.error is not None
    assert "messages of at most 4,000 octets" in report.error.message
    assert line.in_state(DeliveryState.QUEUED) == set(everybody)

    line.postfix.become()
    assert line.send().complete
    line.prove_sent_to(everybody)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_a_message_that_postfix_finds_too_large_at_its_end_is_nobodys_fault(
    line: Line, count: int
) -> None:
    everybody = readers(count)
    line.paper.subscribe(*everybody)
    line.postfix.become(message_size_limit="4000", smtpd_discard_ehlo_keywords="size")
    report = line.send()
    assert report.error is not None
    assert "552 5.3.4" in report.error.message
    assert line.in_state(DeliveryState.QUEUED) == set(everybody)

    line.postfix.become()
    assert line.send().complete
    line.prove_sent_to(everybody)


def test_readers_who_are_refused_are_rejected_and_those_put_off_are_served_later(
    line: Line,
) -> None:
    served, gone, full = (readers(30, called=name) for name in ("reader", "gone", "full"))
    for three in zip(served, gone, full, strict=True):
        line.paper.subscribe(*three)
    line.postfix.write("readers", "/^gone/ 550 5.1.1 moved away\n/^full/ 450 4.2.2 full\n")
    line.postfix.become(smtpd_recipient_restrictions=BY_TABLE)
    report = line.send()
    assert report.error is None
    assert line.in_state(DeliveryState.REJECTED) == set(gone)
    assert line.in_state(DeliveryState.DEFERRED) == set(full)
    line.prove_sent_to(served)

    line.postfix.write("readers", "/^gone/ 550 5.1.1 moved away\n")
    line.postfix.become(smtpd_recipient_restrictions=BY_TABLE)
    assert line.send().served_everybody
    assert line.in_state(DeliveryState.DEFERRED) == set()
    assert line.in_state(DeliveryState.REJECTED) == set(gone)
    line.prove_sent_to(served + full)


def at(nth: int, act: Callable[[], None]) -> Progress:
    """Do something when so many outcomes are known; the sender waits meanwhile."""
    seen = 0

    def progress(state: DeliveryState) -> None:
        nonlocal seen
        seen += 1
        if seen == nth:
            act()

    return progress


def prove_none_lost_none_twice(line: Line, everybody: list[str]) -> None:
    """What is in doubt may have arrived, and no more is in doubt than connections were open."""
    unknown = line.in_state(DeliveryState.UNKNOWN)
    assert len(unknown) <= 4
    assert line.in_state(DeliveryState.SENT) == set(everybody) - unknown
    arrived = line.arrived()
    assert set(arrived.values()) == {1}
    assert set(everybody) - unknown <= set(arrived) <= set(everybody)
    assert audit(line.paper.settings).breaches == ()


#: Postfix keeps what it has until the end: if it ended while it delivers, the server might get
#: that one twice, and not by our doing.
KEEPING = {"defer_transports": "smtp"}


def test_when_postfix_ends_in_the_middle_the_next_send_goes_on(line: Line) -> None:
    everybody = readers(300)
    line.paper.subscribe(*everybody)
    line.postfix.become(**KEEPING)
    report = line.send(at(100, line.postfix.stop))
    assert report.error is not None
    assert line.in_state(DeliveryState.QUEUED)

    line.postfix.start()
    assert line.send().error is None
    line.postfix.become()
    prove_none_lost_none_twice(line, everybody)


def test_when_postfix_starts_anew_in_the_middle_the_same_send_goes_on(line: Line) -> None:
    everybody = readers(300)
    line.paper.subscribe(*everybody)
    line.postfix.become(**KEEPING)
    report = line.send(at(100, line.postfix.start_anew))
    assert report.error is None
    if line.in_state(DeliveryState.DEFERRED):
        assert line.send().error is None
    line.postfix.become()
    prove_none_lost_none_twice(line, everybody)


ONE_ERROR = {"smtpd_hard_error_limit": "1"}
FIVE_ERRORS = {"smtpd_hard_error_limit": "5"}
SLOW_AFTER_TWO = {
    "smtpd_hard_error_limit": "4",
    "smtpd_soft_error_limit": "2",
    "smtpd_error_sleep_time": "1",
}


@pytest.mark.parametrize(
    ("count", "limits"),
    [(60, ONE_ERROR), (60, FIVE_ERRORS), (6, SLOW_AFTER_TWO)],
    ids=["one error", "five errors", "slow after two"],
)
def test_readers_are_not_blamed_for_connections_that_refusals_used_up(
    line: Line, count: int, limits: dict[str, str]
) -> None:
    served, gone = readers(count), readers(count, called="gone")
    for start in range(0, count, 12):
        line.paper.subscribe(*served[start : start + 12], *gone[start : start + 12])
    line.postfix.write("readers", "/^gone/ 550 5.1.1 moved away\n")
    line.postfix.become(smtpd_recipient_restrictions=BY_TABLE, **limits)
    report = line.send()
    assert report.error is None
    assert line.in_state(DeliveryState.REJECTED) == set(gone)
    line.prove_sent_to(served)
    assert [entry for entry in line.postfix.log() if "too many errors" in entry]


def test_fewer_connections_than_we_want_are_enough(line: Line) -> None:
    everybody = readers(60)
    line.paper.subscribe(*everybody)
    line.postfix.become(
        smtpd_client_connection_count_limit="2", smtpd_client_event_limit_exceptions=""
    )
    report = line.send()
    assert report.complete
    line.prove_sent_to(everybody)
    assert [entry for entry in line.postfix.log() if "Connection concurrency limit" in entry]


def test_while_its_disk_is_full_readers_are_put_off(line: Line) -> None:
    everybody = readers(12)
    line.paper.subscribe(*everybody)
    line.postfix.become(queue_minfree=str(10**15))
    report = line.send()
    assert report.error is None
    assert line.in_state(DeliveryState.DEFERRED) == set(everybody)
    line.prove_sent_to([])

    line.postfix.become()
    assert line.send().complete
    line.prove_sent_to(everybody)
