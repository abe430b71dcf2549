"""A person's tie to a newsletter, the list that these ties make, and the segments in it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Final

from digest.lib.timestamps import to_text
from digest.model.subscriber import (
    Member,
    MembershipStatus,
    Segment,
    Subscriber,
    Subscription,
    SubscriptionState,
)
from digest.storage import suppressions
from digest.storage.database import Database
from digest.storage.rows import from_row, read

_SUBSCRIPTIONS = """
select s.id, s.email, s.name, s.language, s.timezone, s.fields,
       n.newsletter, n.state, n.topics, n.since, n.token
from subscriptions n join subscribers s on s.id = n.subscriber_id
"""
_FIND = f"{_SUBSCRIPTIONS} where s.email = :email and n.newsletter = :newsletter"


def find(db: Database, newsletter: str, email: str) -> Subscription | None:
    """The subscription of this address, in whatever state, or None."""
    return db.value(Subscription, _FIND, {"email": email, "newsletter": newsletter})


def find_active(db: Database, newsletter: str, email: str) -> Subscription | None:
    """The subscription of this address if it may be mailed: active, and not suppressed."""
    subscription = find(db, newsletter, email)
    if subscription is None or subscription.state is not SubscriptionState.ACTIVE:
        return None
    return None if suppressions.find(db, email) else subscription


# The left join makes SQLite start from the addresses, not from the whole list.
_FIND_MANY = """
select s.id, s.email, s.name, s.language, s.timezone, s.fields,
       n.newsletter, n.state, n.topics, n.since, n.token
from subscribers s
left join subscriptions n on n.subscriber_id = s.id and n.newsletter = :newsletter
where s.email in (select value from json_each(:emails))
"""


def find_many(
    db: Database, newsletter: str, emails: Sequence[str]
) -> Mapping[str, Subscription | Subscriber]:
    """Those of these addresses that we know, by the lower-cased address.

    A Subscription where they have one of this newsletter, else the Subscriber alone.
    """
    rows = db.rows(_FIND_MANY, {"newsletter": newsletter, "emails": json.dumps(emails)})
    return {
        row["email"].lower(): from_row(Subscription, row)
        if row["newsletter"]
        else from_row(Subscriber, row)
        for row in rows
    }


def topics_text(topics: Sequence[str]) -> str:
    """Topics as they are stored."""
    return json.dumps(topics, ensure_ascii=False) if topics else "[]"


_INSERT = """
insert into subscriptions (subscriber_id, newsletter, state, topics, since, token)
values (?, ?, ?, ?, ?, ?)
"""


def insert(db: Database, new: Iterable[Subscription]) -> None:
    """Add subscriptions of people who are already stored."""
    moment = cache(to_text)  # most of an import share theirs
    db.connection.executemany(
        _INSERT,
        (
            (
                subscription.subscriber.id,
                subscription.newsletter,
                subscription.state.value,
                topics_text(subscription.topics),
                moment(subscription.since),
                subscription.token,
            )
            for subscription in new
        ),
    )


_SET_STATE = """
update subscriptions set state = ?, since = ? where subscriber_id = ? and newsletter = ?
"""


def set_states(
    db: Database,
    changes: Iterable[tuple[Subscription, SubscriptionState]],
    *,
    since: datetime,
) -> None:
    """Move subscriptions to other states. `digest.subscribers` decides whether they may."""
    moment = to_text(since)
    db.connection.executemany(
        _SET_STATE,
        ((state.value, moment, s.subscriber.id, s.newsletter) for s, state in changes),
    )


_SET_TOPICS = "update subscriptions set topics = ? where subscriber_id = ? and newsletter = ?"


def set_topics(db: Database, changes: Iterable[tuple[Subscription, Sequence[str]]]) -> None:
    """What readers want to read of a newsletter; no topics means everything."""
    db.connection.executemany(
        _SET_TOPICS,
        ((topics_text(topics), s.subscriber.id, s.newsletter) for s, topics in changes),
    )


#: The readers who may be mailed: their subscription `n` is active, their address not suppressed.
ACTIVE: Final = """
from subscriptions n join subscribers s on s.id = n.subscriber_id
where n.newsletter = :newsletter and n.state = 'active'
  and not exists (select 1 from suppressions x where x.email = s.email)
"""

#: For a row `s` of subscribers: the answers to `:segment_fields`, both as JSON lists of texts.
#: It calls a function of ours (`database`), and nothing where there are no segment fields.
ANSWERS: Final = (
    "iif(:segment_fields = '[]', '[]', reader_answers(:segment_fields, s.name, s.fields))"
)

_SEGMENTS = f"""
select s.language, n.topics, {ANSWERS} as answers, count(*) as readers
{ACTIVE}
group by 1, 2, 3
order by 1, 2, 3
"""


def segments(
    db: Database, newsletter: str, segment_fields: Sequence[str] = ()
) -> tuple[Segment, ...]:
    """The active, not suppressed readers of a newsletter, divided by what they are to get."""
    values = {"newsletter": newsletter, "segment_fields": json.dumps(segment_fields)}
    return db.values(Segment, _SEGMENTS, values)


_COUNT_ANSWERS = f"""
select count(distinct {ANSWERS})
{ACTIVE}
"""


def count_distinct_answers(db: Database, newsletter: str, segment_fields: Sequence[str]) -> int:
    """How many different answers the active readers have to these segment fields together."""
    values = {"newsletter": newsletter, "segment_fields": json.dumps(segment_fields)}
    return int(db.scalar(_COUNT_ANSWERS, values))


# Everybody with a subscription, then the suppressed addresses that never had one.
_MEMBERS = """
select * from (
    select s.id, s.email, s.name, s.language, s.timezone, s.fields, n.topics, n.since,
           iif(x.hash is null, n.state, 'suppressed') as status,
           coalesce(x.reason, '') as suppressed_because
    from subscriptions n
    join subscribers s on s.id = n.subscriber_id
    left join suppressions x on x.email = s.email
    where n.newsletter = :newsletter
    union all
    select 0, x.email, '', null, null, '{}', '[]', x.since, 'suppressed', x.reason
    from suppressions x
    where x.email is not null and not exists (
        select 1 from subscribers s join subscriptions n on n.subscriber_id = s.id
        where s.email = x.email and n.newsletter = :newsletter)
)
"""
_MEMBERS_WITH = f"""{_MEMBERS}
where status in (select value from json_each(:statuses))
order by id = 0, id, email
limit :most
"""  # noqa: S608 (two constants)


def members(
    db: Database, newsletter: str, statuses: Iterable[MembershipStatus], *, most: int = -1
) -> Iterator[Member]:
    """The list of a newsletter, as far as it has one of these statuses; none of them is nobody.

    In the order in which people came; suppressed addresses that were never on it come last.
    At most `most` of them, all when that is negative. Rows are read as they are asked for.
    """
    rows = db.execute(
        _MEMBERS_WITH,
        {
            "newsletter": newsletter,
            "statuses": json.dumps([status.value for status in statuses]),
            "most": most,
        },
    )
    return read(Member, rows)


_COUNTS = f"select status, count(*) as n from ({_MEMBERS}) group by status"  # noqa: S608 (two constants)


def counts(db: Database, newsletter: str) -> Mapping[MembershipStatus, int]:
    """How many people have each status; a status that nobody has counts 0."""
    people = dict.fromkeys(MembershipStatus, 0)
    for row in db.rows(_COUNTS, {"newsletter": newsletter}):
        people[MembershipStatus(row["status"])] = row["n"]
    return people


_FIELD_NAMES = """
select distinct f.key as name
from subscriptions n join subscribers s on s.id = n.subscriber_id, json_each(s.fields) f
where n.newsletter = ? and s.fields <> '{}'
order by 1
"""


def field_names(db: Database, newsletter: str) -> tuple[str, ...]:
    """The names of all fields that somebody on this list has."""
    return tuple(row["name"] for row in db.rows(_FIELD_NAMES, (newsletter,)))


_OF = f"{_SUBSCRIPTIONS} where s.id = ? order by n.newsletter"


def of(db: Database, subscriber: Subscriber) -> tuple[Subscription, ...]:
    """All subscriptions of a person."""
    return db.values(Subscription, _OF, (subscriber.id,))


# Leaps along the index from zone to zone: there are few, and perhaps a million readers.
_ZONES = """
with recursive zones (zone) as (
    select min(timezone) from subscribers where timezone is not null
    union all
    select (select min(timezone) from subscribers where timezone > zone)
    from zones where zone is not null
)
select zone from zones
where zone is not null and exists (
    select 1 from subscribers s join subscriptions n on n.subscriber_id = s.id
    where s.timezone = zone and n.newsletter = ? and n.state = 'active')
"""


def zones(db: Database, newsletter: str) -> tuple[str, ...]:
    """The names of all zones that an active reader has given, in order."""
    return tuple(row["zone"] for row in db.rows(_ZONES, (newsletter,)))
