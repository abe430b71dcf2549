"""The states of a delivery: their sets, and which may follow which."""

import pytest

from digest.model.delivery import (
    ATTEMPTED_DELIVERIES,
    COMPLETE_DELIVERIES,
    DELIVERY_TRANSITIONS,
    FINAL_DELIVERIES,
    OPEN_DELIVERIES,
    SETTLED_DELIVERIES,
    UNDELIVERED,
    WAITING_DELIVERIES,
    DeliveryState,
    Reply,
    reply_code,
)


def test_every_state_is_open_or_final_and_has_its_transitions() -> None:
    assert {*OPEN_DELIVERIES} | {*FINAL_DELIVERIES} == {*DeliveryState}
    assert not {*OPEN_DELIVERIES} & {*FINAL_DELIVERIES}
    assert DELIVERY_TRANSITIONS.keys() == {*DeliveryState}


def test_the_sets_are_parts_of_each_other() -> None:
    assert {*WAITING_DELIVERIES} == {*OPEN_DELIVERIES} - {DeliveryState.SENDING}
    assert {*SETTLED_DELIVERIES} == {*FINAL_DELIVERIES} - {DeliveryState.UNKNOWN}
    assert {*COMPLETE_DELIVERIES} | {*UNDELIVERED} == {*FINAL_DELIVERIES}
    assert {*ATTEMPTED_DELIVERIES} == {*DeliveryState} - {
        DeliveryState.QUEUED,
        DeliveryState.WITHHELD,
    }


def test_a_settled_delivery_stays_as_it_is_and_an_open_one_can_end() -> None:
    for state in SETTLED_DELIVERIES:
        assert not DELIVERY_TRANSITIONS[state]
    for state in OPEN_DELIVERIES:
        assert DELIVERY_TRANSITIONS[state] & {*FINAL_DELIVERIES}


@pytest.mark.parametrize(
    "reply",
    [
        Reply(code=550, text="no such user", enhanced="5.1.1"),
        Reply(code=451, text="later"),
        Reply(code=250, text=""),
    ],
)
def test_the_code_of_a_reply_is_found_in_its_text(reply: Reply) -> None:
    code = f"{reply.code} {reply.enhanced}" if reply.enhanced else str(reply.code)
    assert reply_code(str(reply)) == code


@pytest.mark.parametrize("text", ["", "the domain has no mail server", "5501 readers", "99 x"])
def test_a_text_that_is_no_reply_has_no_code(text: str) -> None:
    assert reply_code(text) is None
