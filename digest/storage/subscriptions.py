"""A person's tie to a newsletter, and the list that all of them make.

Answers: what readers say to the questions that a site's templates ask (`VariantKey.fields`).

The lists are made by SQLite wherever they are compared, so that one text is always written alike.

Zones: the time zones in which the readers of a newsletter live.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Final

from digest.lib.timestamps import from_text, to_text
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
from digest.storage.subscribers import subscriber_of

#: For a row `s` of subscribers: the answers to `:questions`, a JSON list of texts in their order.
#: Without questions it costs nothing.
ANSWERS: Final = """
iif(:questions = '[]', '[]', (
    select json_group_array(iif(whether, iif(answer = '', 'no', 'yes'), answer))
    from (
        select whether, coalesce(iif(about = 'name', s.name, field), '') as answer
        from (
            select key, whether, about, (
                select f.value from json_each(s.fields) f where 'fields.' || f.key = about
            ) as field
            from (
                select key, value like 'has %' as whether,
                       iif(value like 'has %', substr(value, 5), value) as about
                from json_each(:questions)
            )
        )
        order by key
    )
))
"""


def as_parameter(questions: Sequence[str]) -> str:
    """The questions as ANSWERS wants them in `:questions`."""
    return json.dumps(questions, ensure_ascii=False)


_COUNT = f"""
select count(distinct {ANSWERS}) as different
from subscriptions n join subscribers s on s.id = n.subscriber_id
where n.newsletter = :newsletter and n.state = 'active'
  and not exists (select 1 from suppressions x where x.email = s.email)
"""  # noqa: S608 (a constant)


def count_distinct_answers(db: Database, newsletter: str, questions: Sequence[str]) -> int:
    """How many different answers the active readers of a newsletter have to these questions."""
    row = db.row(_COUNT, {"newsletter": newsletter, "questions": as_parameter(questions)})
    return row["different"] if row else 0


_FIND = """
select s.id, s.email, s.name, s.language, s.timezone, s.fields,
       n.newsletter, n.state, n.topics, n.since, n.token
from subscriptions n join subscribers s on s.id = n.subscriber_id
where s.email = :email and n.newsletter = :newsletter
"""


def find(db: Database, newsletter: str, email: str) -> Subscription | None:
    """The subscription of this address, in whatever state, or None."""
    row = db.row(_FIND, {"email": email, "newsletter": newsletter})
    return _subscription_of(row) if row else None


def find_active(db: Database, newsletter: str, email: str) -> Subscription | None:
    """The subscription of this address if it may be mailed: active, and not suppressed."""
    found = find(db, newsletter, email)
    if found is None or found.state is not SubscriptionState.ACTIVE:
        return None
    return None if suppressions.find(db, email) else found


# The left join makes SQLite start from the addresses, not from the whole list.
_AMONG = """
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
    found = db.rows(_AMONG, {"newsletter": newsletter, "emails": json.dumps(emails)})
    return {
        row["email"].lower(): _subscription_of(row) if row["newsletter"] else subscriber_of(row)
        for row in found
    }


def _subscription_of(row: sqlite3.Row) -> Subscription:
    return Subscription(
        subscriber=subscriber_of(row),
        newsletter=row["newsletter"],
        state=SubscriptionState(row["state"]),
        since=from_text(row["since"]),
        token=row["token"],
        topics=_topics_of(row["topics"]),
    )


def _topics_of(text: str) -> tuple[str, ...]:
    return () if text == "[]" else tuple(json.loads(text))


def _topics_text(topics: Sequence[str]) -> str:
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
                one.subscriber.id,
                one.newsletter,
                one.state.value,
                _topics_text(one.topics),
                moment(one.since),
                one.token,
            )
            for one in new
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
    """Move subscriptions to other states. Whether that may be is decided in `audience`."""
    moment = to_text(since)
    db.connection.executemany(
        _SET_STATE,
        ((state.value, moment, one.subscriber.id, one.newsletter) for one, state in changes),
    )


_SET_TOPICS = "update subscriptions set topics = ? where subscriber_id = ? and newsletter = ?"


def set_topics(db: Database, changes: Iterable[tuple[Subscription, Sequence[str]]]) -> None:
    """What readers want to read of a newsletter; no topics means everything."""
    db.connection.executemany(
        _SET_TOPICS,
        ((_topics_text(topics), one.subscriber.id, one.newsletter) for one, topics in changes),
    )


_ACTIVE_VARIANTS = f"""
select s.language, n.topics, {ANSWERS} as answers, count(*) as readers
from subscriptions n join subscribers s on s.id = n.subscriber_id
where n.newsletter = :newsletter and n.state = 'active'
  and not exists (select 1 from suppressions x where x.email = s.email)
group by 1, 2, 3
order by 1, 2, 3
"""  # noqa: S608 (a constant)


def segments(db: Database, newsletter: str, questions: Sequence[str] = ()) -> tuple[Segment, ...]:
    """What the active, not suppressed readers of a newsletter have in common, and how many do.

    `questions` are what the site's templates ask about a reader.
    """
    found = db.rows(
        _ACTIVE_VARIANTS, {"newsletter": newsletter, "questions": as_parameter(questions)}
    )
    return tuple(
        Segment(
            language=row["language"],
            topics=_topics_of(row["topics"]),
            answers=tuple(json.loads(row["answers"])),
            readers=row["readers"],
        )
        for row in found
    )


# Everybody with a subscription, then the suppressed addresses that never had one.
_MEMBERS = """
select * from (
    select s.id, s.email, s.name, s.language, s.timezone, s.fields, n.topics, n.since,
           iif(x.hash is null, n.state, 'suppressed') as standing,
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
_CHOSEN = f"""{_MEMBERS}
where standing in (select value from json_each(:standings))
order by id = 0, id, email
limit :most
"""  # noqa: S608 (two constants)


def members(
    db: Database, newsletter: str, standings: Iterable[MembershipStatus], *, most: int = -1
) -> Iterator[Member]:
    """The list of a newsletter, as far as it has one of these standings; none of them is nobody.

    In the order in which people came; suppressed addresses that were never on it come last.
    At most `most` of them, all when that is negative. Rows are read as they are asked for.
    """
    chosen = db.execute(
        _CHOSEN,
        {
            "newsletter": newsletter,
            "standings": json.dumps([standing.value for standing in standings]),
            "most": most,
        },
    )
    for row in chosen:
        yield Member(
            subscriber=subscriber_of(row),
            standing=MembershipStatus(row["standing"]),
            since=from_text(row["since"]),
            topics=_topics_of(row["topics"]),
            suppressed_because=row["suppressed_because"],
        )


_COUNTS = f"select standing, count(*) as n from ({_MEMBERS}) group by standing"  # noqa: S608 (two constants)


def counts(db: Database, newsletter: str) -> Mapping[MembershipStatus, int]:
    """How many people have each standing; a standing that nobody has counts 0."""
    found = dict.fromkeys(MembershipStatus, 0)
    for row in db.rows(_COUNTS, {"newsletter": newsletter}):
        found[MembershipStatus(row["standing"])] = row["n"]
    return found


_FIELD_NAMES = """
select distinct f.key as name
from subscriptions n join subscribers s on s.id = n.subscriber_id, json_each(s.fields) f
where n.newsletter = ? and s.fields <> '{}'
order by 1
"""


def field_names(db: Database, newsletter: str) -> tuple[str, ...]:
    """The names of all fields that somebody on this list has."""
    return tuple(row["name"] for row in db.rows(_FIELD_NAMES, (newsletter,)))


_OF = """
select s.id, s.email, s.name, s.language, s.timezone, s.fields,
       n.newsletter, n.state, n.topics, n.since, n.token
from subscriptions n join subscribers s on s.id = n.subscriber_id
where s.id = ?
order by n.newsletter
"""


def of(db: Database, subscriber: Subscriber) -> tuple[Subscription, ...]:
    """All subscriptions of a person."""
    return tuple(_subscription_of(row) for row in db.rows(_OF, (subscriber.id,)))


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
