"""Queueing: one delivery for every active reader, when an edition is frozen."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from digest.errors import Superseded
from digest.lib.timestamps import to_text
from digest.model.edition import VariantKey
from digest.storage.answers import ANSWERS, as_parameter
from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """How the readers with these wishes, as they are stored, are served; None: nothing for them.

    `answers` are to the questions that `queue` is told.
    """

    language: str | None
    topics: tuple[str, ...]
    variant: VariantKey | None
    answers: tuple[str, ...] = ()


# One delivery for every active reader, none for a suppressed address. `:hours` says when readers of
# each zone are due, '' standing for those without one; where it is null, everybody is at once.
# `:audience` says which variant readers with this language, these topics and these answers get.
# Topics and answers are one column, two JSON lists in a row, because the index that SQLite makes
# for the join has one.
_DELIVERIES = f"""
with audience (language, wishes, variant) as materialized (
    select m.value ->> 'language', (m.value ->> 'topics') ||
           (select json_group_array(a.value) from json_each(m.value -> 'answers') a),
           m.value ->> 'variant'
    from json_each(:audience) m
), hours (zone, due_at) as materialized (select key, value from json_each(:hours))
insert into deliveries (edition_id, subscriber_id, variant, state, reply, finished_at, due_at)
select :edition, s.id, m.variant, iif(m.variant is null, 'withheld', 'queued'),
       iif(m.variant is null, 'nothing in this edition for the reader''s topics', null),
       iif(m.variant is null, :now, null),
       iif(:hours is null or m.variant is null, null, coalesce(
           (select due_at from hours where zone = s.timezone),
           (select due_at from hours where zone = '')))
from subscriptions n
join subscribers s on s.id = n.subscriber_id
join audience m on m.language is s.language and m.wishes = n.topics || {ANSWERS}
where n.newsletter = :newsletter and n.state = 'active'
  and not exists (select 1 from suppressions x where x.email = s.email)
order by s.id
"""  # noqa: S608 (a constant)

_ID_RUN = """
update editions set first_delivery_id = :first, last_delivery_id = :last where id = :edition
"""

_ACTIVE = """
select count(*) from subscriptions n join subscribers s on s.id = n.subscriber_id
where n.newsletter = :newsletter and n.state = 'active'
  and not exists (select 1 from suppressions x where x.email = s.email)
"""


def queue(
    db: Database,
    edition_id: int,
    audience: Sequence[Audience],
    *,
    newsletter: str,
    questions: Sequence[str],
    hours: Mapping[str, datetime] | None,
    now: datetime,
) -> None:
    """Queue an edition for every active reader of a newsletter, in the caller's transaction.

    `questions` are those that the `answers` in `audience` belong to. `hours` says when the readers
    of each zone are due, with "" for those of no zone; where it is None all are at once.
    Raises Superseded for a reader whose wishes `audience` does not know.
    """
    mapping = [
        {
            "language": entry.language,
            "topics": json.dumps(entry.topics, ensure_ascii=False),
            "answers": entry.answers,
            "variant": entry.variant.name if entry.variant else None,
        }
        for entry in audience
    ]
    db.execute(
        _DELIVERIES,
        {
            "edition": edition_id,
            "newsletter": newsletter,
            "audience": json.dumps(mapping, ensure_ascii=False),
            "questions": as_parameter(questions),
            "hours": _as_json(hours),
            "now": to_text(now),
        },
    )
    # A cursor does not count the rows of an insert that begins with WITH.
    inserted, last = db.connection.execute("select changes(), last_insert_rowid()").fetchone()
    active = db.connection.execute(_ACTIVE, {"newsletter": newsletter}).fetchone()[0]
    if inserted != active:
        raise Superseded("a reader with other wishes joined meanwhile")
    # Stored at once, so their ids are one run: walking along an edition needs no index.
    db.execute(_ID_RUN, {"edition": edition_id, "first": last - inserted + 1, "last": last})


def _as_json(hours: Mapping[str, datetime] | None) -> str | None:
    if hours is None:
        return None
    return json.dumps({zone: to_text(hour) for zone, hour in hours.items()})
