"""Explain a reader: why somebody got an edition, or did not."""

from dataclasses import dataclass
from datetime import datetime
from typing import assert_never

from digest.config import Settings
from digest.lib.formatting import local
from digest.model.delivery import DeliveryState
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Action, Subscriber, Subscription
from digest.storage import explain, subscriptions
from digest.storage.database import Database
from digest.storage.explain import EditionFor, Given


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderOf:
    """A person and one newsletter: the subscription, the edition asked about, and why so.

    `edition` is None where the newsletter has none yet. `why` is a sentence; its times are in the
    newsletter's zone.
    """

    newsletter: Newsletter
    subscription: Subscription | None
    edition: EditionFor | None
    why: str


def explain_reader(
    db: Database,
    settings: Settings,
    person: Subscriber,
    *,
    now: datetime,
    only: str | None = None,
    number: int | None = None,
) -> tuple[ReaderOf, ...]:
    """Why a person got an edition or did not: the newest, or the one of this number.

    For `only` one newsletter, or for each that the person ever had to do with.
    """
    known = {one.newsletter: one for one in subscriptions.of(db, person)}
    if only:
        newsletters = [settings.newsletter(only)]
    else:
        newsletters = [one for one in settings.newsletters.values() if one.key in known]
    return tuple(
        _reader_of(db, one, person, known.get(one.key), now=now, number=number)
        for one in newsletters
    )


def _reader_of(
    db: Database,
    newsletter: Newsletter,
    person: Subscriber,
    subscription: Subscription | None,
    *,
    now: datetime,
    number: int | None,
) -> ReaderOf:
    edition = explain.edition_for(db, newsletter.key, person.id, number=number)
    return ReaderOf(
        newsletter=newsletter,
        subscription=subscription,
        edition=edition,
        why=_why(newsletter, subscription, edition, now),
    )


def _why(
    newsletter: Newsletter,
    subscription: Subscription | None,
    edition: EditionFor | None,
    now: datetime,
) -> str:
    if edition is None:
        return "there is no edition yet"
    if edition.delivery is not None:
        return _why_so(edition.delivery, newsletter, now)
    if subscription is None:
        return f"never on the list of {newsletter.key}"
    return _why_none(edition, subscription, newsletter)


def _why_so(delivery: Given, newsletter: Newsletter, now: datetime) -> str:
    """What a delivery came to, or what it waits for."""
    said = f": {delivery.reply}" if delivery.reply else ""
    tries = "" if delivery.attempts < 2 else f", at attempt {delivery.attempts}"
    ended = f" {local(delivery.finished_at, newsletter.timezone)}" if delivery.finished_at else ""
    match delivery.state:
        case DeliveryState.SENT:
            return f"the server took the message{ended}{tries}{said}"
        case DeliveryState.REJECTED:
            return f"the server refused the message{ended}{tries}{said}"
        case DeliveryState.UNKNOWN:
            return (
                f"nobody knows whether it arrived{ended}{tries}{said};"
                " `digest resume --unknown` decides"
            )
        case DeliveryState.WITHHELD:
            return f"it was withheld{ended}{said}"
        case DeliveryState.DEFERRED:
            again = delivery.next_attempt_at
            then = f"; tried again {local(again, newsletter.timezone)}" if again else ""
            return f"the server put it off{tries}{said}{then}"
        case DeliveryState.SENDING:
            return "it is being sent, or was when a process died"
        case DeliveryState.QUEUED:
            if delivery.due_at is not None and delivery.due_at > now:
                return (
                    f"it waits for the reader's hour, {local(delivery.due_at, newsletter.timezone)}"
                )
            return f"it waits to be sent{said}"
        case _:
            assert_never(delivery.state)


def _why_none(edition: EditionFor, subscription: Subscription, newsletter: Newsletter) -> str:
    """Why there is no delivery, by the receipts that were there when the edition was prepared."""
    prepared = f"it was prepared {local(edition.prepared_at, newsletter.timezone)}"
    last = edition.standing
    if last is None:
        if edition.pruned and subscription.since <= edition.prepared_at:
            return "the record of its deliveries was pruned into totals"
        joined = local(subscription.since, newsletter.timezone)
        return f"{prepared}, and this reader joined later, {joined}"
    when = local(last.at, newsletter.timezone)
    match last.action:
        case Action.SUBSCRIBED | Action.RETURNED | Action.CHANGED:
            if edition.pruned:
                return "the record of its deliveries was pruned into totals"
            return f"{prepared}, when this reader was active: `digest audit` has more"
        case Action.LISTED:
            return f"{prepared}, when this reader was not active: {last.wording}"
        case Action.PAUSED | Action.UNSUBSCRIBED | Action.SUPPRESSED:
            return f"{prepared}, and this reader had {_PAST[last.action]} {when}: {last.wording}"
        case _:
            assert_never(last.action)


_PAST = {
    Action.PAUSED: "paused",
    Action.UNSUBSCRIBED: "unsubscribed",
    Action.SUPPRESSED: "been suppressed",
}
