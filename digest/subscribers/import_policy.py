"""What a row of a file means for somebody, given the status of that person. Pure.

A file can only add people or take them out: it never makes anybody more active.
"""

from dataclasses import replace
from enum import StrEnum
from typing import Final

from digest.model.subscriber import MembershipStatus, Subscriber, Subscription, SubscriptionState
from digest.subscribers.import_row import ImportedReader


class ImportResult(StrEnum):
    """What becomes of one row. LEFT: the row asks for more than the person has agreed to.

    TAKEN_OUT is also who was not on the list, and is kept as having left or as suppressed.
    """

    ADDED = "added"
    UPDATED = "updated"
    TAKEN_OUT = "taken out"
    UNCHANGED = "unchanged"
    LEFT = "left"


#: From being mailed to never being mailed.
RANK: Final = {status: rank for rank, status in enumerate(MembershipStatus)}


def status_of(known: Subscription | None, *, suppressed: bool) -> MembershipStatus | None:
    """How somebody stands on the list; None is not at all."""
    if suppressed:
        return MembershipStatus.SUPPRESSED
    return MembershipStatus(known.state.value) if known else None


def decide(reader: ImportedReader, known: Subscription | None, *, suppressed: bool) -> ImportResult:
    """What becomes of a row about somebody who stands like this."""
    status = status_of(known, suppressed=suppressed)
    wanted = reader.status
    if status is None:
        takes_out = wanted in (MembershipStatus.UNSUBSCRIBED, MembershipStatus.SUPPRESSED)
        return ImportResult.TAKEN_OUT if takes_out else ImportResult.ADDED
    if _takes_out(wanted, known, status):
        return ImportResult.TAKEN_OUT
    if status is not MembershipStatus.ACTIVE or known is None:
        wants_more = RANK[wanted] < RANK[status] and wanted is not MembershipStatus.UNSUBSCRIBED
        return ImportResult.LEFT if wants_more else ImportResult.UNCHANGED
    return ImportResult.UPDATED if _says_more(reader, known) else ImportResult.UNCHANGED


def _takes_out(
    wanted: MembershipStatus, known: Subscription | None, status: MembershipStatus
) -> bool:
    if wanted is MembershipStatus.SUPPRESSED:
        return status is not MembershipStatus.SUPPRESSED
    if known is None:
        return False
    if wanted is MembershipStatus.UNSUBSCRIBED:
        return known.state is not SubscriptionState.UNSUBSCRIBED
    return wanted is MembershipStatus.PAUSED and known.state is SubscriptionState.ACTIVE


def _says_more(reader: ImportedReader, known: Subscription) -> bool:
    person = known.subscriber
    return bool(
        (reader.name and reader.name != person.name)
        or (reader.language and reader.language != person.language)
        or (reader.timezone and reader.timezone != person.timezone)
        or (reader.topics and reader.topics != known.topics)
        or any(person.fields.get(name) != text for name, text in reader.fields.items())
    )


def with_values(person: Subscriber, reader: ImportedReader) -> Subscriber:
    """The person with what the row says; what it does not say stays as it was."""
    return replace(
        person,
        name=reader.name or person.name,
        language=reader.language or person.language,
        timezone=reader.timezone or person.timezone,
        fields={**person.fields, **reader.fields} if reader.fields else person.fields,
    )


_STATES: Final = {
    status: SubscriptionState(status.value)
    for status in MembershipStatus
    if status is not MembershipStatus.SUPPRESSED
} | {MembershipStatus.SUPPRESSED: SubscriptionState.UNSUBSCRIBED}


def state_for(status: MembershipStatus) -> SubscriptionState:
    """The state of a new subscription. Who comes as suppressed is kept as having left."""
    return _STATES[status]
