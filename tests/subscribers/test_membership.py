from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from digest.errors import SubscriberError
from digest.model.subscriber import Action, SubscriptionState
from digest.storage import subscribers, subscriptions, suppressions
from digest.storage.database import Database
from digest.subscribers import membership
from digest.subscribers.changes import ChangeContext
from digest.subscribers.import_policy import ImportResult
from digest.subscribers.import_row import typed
from digest.subscribers.membership import record_of

NOW = datetime(2026, 3, 12, 7, 0, tzinfo=UTC)


def test_who_is_added_is_active_with_a_receipt(db: Database, given: ChangeContext) -> None:
    assert membership.add(db, typed("Eva Sá <eva@example.com>"), given) is ImportResult.ADDED
    found = subscriptions.find_active(db, "daily", "EVA@example.com")
    assert found is not None
    assert (found.subscriber.name, found.since, found.token) == ("Eva Sá", NOW, "token1")
    assert [
        (one.action, one.origin) for one in subscribers.consents_of(db, found.subscriber.id)
    ] == [(Action.SUBSCRIBED, "command line")]


def test_adding_somebody_again_takes_over_new_values(db: Database, given: ChangeContext) -> None:
    membership.add(db, typed("eva@example.com", name="Eva"), given)
    assert membership.add(db, typed("eva@example.com"), given) is ImportResult.UNCHANGED
    assert (
        membership.add(db, typed("eva@example.com", name="Eva Sá"), given) is ImportResult.UPDATED
    )
    found = subscriptions.find(db, "daily", "eva@example.com")
    assert found is not None
    assert found.subscriber.name == "Eva Sá"


def test_who_left_comes_back_only_with_the_words_of_that_wish(
    db: Database, given: ChangeContext
) -> None:
    membership.add(db, typed("eva@example.com"), given)
    membership.unsubscribe(db, "eva@example.com", "asked", given)
    with pytest.raises(
        SubscriberError, match="left on 2026-03-12; only the reader can change that"
    ):
        membership.add(db, typed("eva@example.com"), given)
    later = replace(given, wording="by phone, 20 March", now=NOW + timedelta(days=8))
    membership.add(db, typed("eva@example.com", topics=["Sport"]), later)
    found = subscriptions.find_active(db, "daily", "eva@example.com")
    assert found is not None
    assert (found.topics, found.since, found.token) == (("Sport",), later.now, "token1")
    assert [(one.action, one.wording) for one in subscribers.consents_of(db, found.subscriber.id)][
        -2:
    ] == [
        (Action.UNSUBSCRIBED, "asked"),
        (Action.RETURNED, "by phone, 20 March"),
    ]


@pytest.mark.parametrize("state", [SubscriptionState.PAUSED, SubscriptionState.PENDING])
def test_who_paused_or_never_confirmed_is_not_made_active_either(
    db: Database, given: ChangeContext, state: SubscriptionState
) -> None:
    membership.add(db, typed("eva@example.com"), given)
    found = subscriptions.find(db, "daily", "eva@example.com")
    assert found is not None
    subscriptions.set_states(db, [(found, state)], since=NOW)
    with pytest.raises(SubscriberError, match="only the reader"):
        membership.add(db, typed("eva@example.com"), given)
    assert subscriptions.find_active(db, "daily", "eva@example.com") is None


def test_a_suppressed_address_is_never_added(db: Database, given: ChangeContext) -> None:
    membership.suppress(db, "eva@example.com", "by letter", given)
    insistent = replace(given, wording="please")
    with pytest.raises(SubscriberError, match="must never be mailed: 'by letter'"):
        membership.add(db, typed("EVA@example.com"), insistent)


def test_a_suppressed_reader_is_active_no_more(db: Database, given: ChangeContext) -> None:
    for newsletter in ("daily", "weekly"):
        membership.add(db, typed("eva@example.com"), replace(given, newsletter=newsletter))
    assert not membership.suppress(db, "eva@example.com", "bounced", given).already
    assert membership.suppress(db, "eva@example.com", "again", given).already
    for newsletter in ("daily", "weekly"):
        assert subscriptions.find_active(db, newsletter, "eva@example.com") is None
        assert subscriptions.segments(db, newsletter) == ()
    record = record_of(db, "eva@example.com")
    assert record.suppression is not None
    assert record.suppression.reason == "bounced"
    assert [(one.newsletter, one.action) for one in record.consents] == [
        ("daily", Action.SUBSCRIBED),
        ("weekly", Action.SUBSCRIBED),
        ("daily", Action.SUPPRESSED),
        ("weekly", Action.SUPPRESSED),
    ]


def test_leaving_twice_is_leaving_once(db: Database, given: ChangeContext) -> None:
    membership.add(db, typed("eva@example.com"), given)
    assert not membership.unsubscribe(db, "Eva@example.com", "asked", given).already
    assert membership.unsubscribe(db, "eva@example.com", "asked", given).already
    assert len(record_of(db, "eva@example.com").consents) == 2


def test_nobody_leaves_a_list_who_is_not_on_it(db: Database, given: ChangeContext) -> None:
    with pytest.raises(SubscriberError, match="is not on the list of daily"):
        membership.unsubscribe(db, "eva@example.com", "asked", given)
    with pytest.raises(SubscriberError, match="is on no list"):
        record_of(db, "eva@example.com")


def test_the_record_of_a_suppressed_stranger_is_the_suppression(
    db: Database, given: ChangeContext
) -> None:
    membership.suppress(db, "eva@example.com", "by letter", given)
    record = record_of(db, "eva@example.com")
    assert record.subscriber is None
    assert record.suppression == suppressions.Suppression(reason="by letter", since=NOW)


@pytest.mark.parametrize(
    ("name", "language", "timezone"),
    [("=?utf-8?q?x?=", None, None), ("", "English", None), ("", None, "Lisbon")],
)
def test_what_a_person_types_wrongly_is_refused(
    name: str, language: str | None, timezone: str | None
) -> None:
    with pytest.raises(SubscriberError):
        typed("eva@example.com", name=name, language=language, timezone=timezone)
