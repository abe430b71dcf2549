"""Integrity: what must be true of the database, as queries whose result must be empty.

Each rule is a sentence, and a query for the ids of what breaks it, at most `:most` of them.
`health` is about the file: whether SQLite finds it whole, and what is in it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from digest.model.delivery import (
    ATTEMPTED_DELIVERIES,
    FINAL_DELIVERIES,
    OPEN_DELIVERIES,
    SETTLED_DELIVERIES,
    DeliveryState,
)
from digest.model.edition import EditionState
from digest.model.slot import OPEN_SLOTS, SlotState
from digest.storage import migrations
from digest.storage.database import Database
from digest.storage.states import sql_list

_CHOSEN_WITHOUT_STORY = """
select d.newsletter || ' article ' || d.article_id
from decisions d
where d.verdict = 'chosen' and not exists (
    select 1 from stories s where s.edition_id = d.edition_id and s.article_id = d.article_id)
limit :most
"""

_STORY_WITHOUT_CHOICE = """
select e.newsletter || ' No. ' || e.number || ' article ' || s.article_id
from stories s join editions e on e.id = s.edition_id
where not exists (
    select 1 from decisions d where d.newsletter = e.newsletter and d.article_id = s.article_id
      and d.verdict = 'chosen' and d.edition_id = e.id)
limit :most
"""

# Everything that an edition could have chosen is decided on.
_ARTICLE_WITHOUT_DECISION = """
select e.newsletter || ' article ' || a.id
from (select newsletter, max(cutoff) as cutoff, max(last_article_id) as last_article_id
      from editions group by newsletter) e
join articles a on a.published_at < e.cutoff and a.id <= e.last_article_id
where a.published_at < (select x.cutoff from editions x
                        where x.newsletter = e.newsletter order by number desc limit 1)
  and not exists (
    select 1 from decisions d where d.newsletter = e.newsletter and d.article_id = a.id)
limit :most
"""

_GAPS_IN_NUMBERS = """
select newsletter from editions group by newsletter having count(*) <> max(number) limit :most
"""

# Of pruned deliveries the totals are left; those that are not pruned are still there.
_DELIVERIES_MISSING = """
select e.newsletter || ' No. ' || e.number from editions e
where e.first_delivery_id is null or (
    select count(*) from deliveries d
    where d.id between e.first_delivery_id and e.last_delivery_id and d.edition_id = e.id
  ) + (
    select ifnull(sum(t.n), 0) from delivery_totals t where t.edition_id = e.id
  ) <> e.last_delivery_id - e.first_delivery_id + 1
limit :most
"""

_PRUNED_DELIVERIES = """
select e.newsletter || ' No. ' || e.number || ' delivery ' || d.id
from editions e join deliveries d on d.edition_id = e.id
where e.pruned_at is not null
limit :most
"""

_DELIVERY_OUTSIDE_RUN = """
select 'delivery ' || d.id from deliveries d join editions e on e.id = d.edition_id
where d.id not between e.first_delivery_id and e.last_delivery_id
limit :most
"""

# Receipts are numbered as they are written, whatever the clock says: a reader who is active now,
# and whose last receipt was written before the edition was stored, was active then.
_READER_WITHOUT_DELIVERY = """
select e.newsletter || ' No. ' || e.number || ' reader ' || n.subscriber_id
from editions e join subscriptions n on n.newsletter = e.newsletter and n.state = 'active'
where not exists (select 1 from deliveries d
                  where d.edition_id = e.id and d.subscriber_id = n.subscriber_id)
  and (select max(c.id) from consents c
       where c.subscriber_id = n.subscriber_id and c.newsletter = n.newsletter
         and c.action <> 'changed') <= e.last_consent_id
  and not exists (select 1 from delivery_totals t where t.edition_id = e.id)
  and not exists (select 1 from subscribers s join suppressions x on x.email = s.email
                  where s.id = n.subscriber_id)
limit :most
"""

_UNKNOWN_STATE = f"""
select 'delivery ' || id from deliveries
where state not in {sql_list(DeliveryState)}
   or (variant is null and state <> 'withheld')
union all
select newsletter || ' No. ' || number from editions
where state not in {sql_list(EditionState)}
limit :most
"""  # noqa: S608 (constants)

_FINISHED_TOO_EARLY = f"""
select newsletter || ' No. ' || number || ' delivery ' || id from edition_deliveries
where (edition_state = 'sent' and state not in {sql_list(SETTLED_DELIVERIES)})
   or (edition_state = 'incomplete' and state in {sql_list(OPEN_DELIVERIES)})
limit :most
"""  # noqa: S608 (constants)

_FINAL_WITHOUT_TIME = f"""
select 'delivery ' || id from deliveries
where (state in {sql_list(FINAL_DELIVERIES)}) <> (finished_at is not null)
limit :most
"""  # noqa: S608 (a constant)

_WITHOUT_ATTEMPT = f"""
select 'delivery ' || id from deliveries
where attempts < (state in {sql_list(ATTEMPTED_DELIVERIES)})
limit :most
"""  # noqa: S608 (a constant)

# Whoever reads the status is told why a delivery that was processed is not sent.
_STATE_WITHOUT_REASON = """
select 'delivery ' || id from deliveries
where state not in ('queued', 'sending', 'sent') and ifnull(reply, '') = ''
limit :most
"""

_DEFERRED_WITHOUT_TIME = """
select 'delivery ' || id from deliveries
where state = 'deferred' and next_attempt_at is null
limit :most
"""

# Zones are between 12 hours behind and 14 before UTC; an hour more where clocks are put forward.
_DUE_TIME_OUT_OF_RANGE = """
select 'delivery ' || d.id
from edition_deliveries d left join slots s on s.edition_id = d.edition_id
where d.due_at is not null
  and (julianday(d.due_at) is null or abs(julianday(d.due_at) - julianday(s.due_at)) > 27.0 / 24)
limit :most
"""

#: Rules about editions, their stories and their deliveries.
_EDITION_RULES: Final = (
    ("an article that was chosen is a story of its edition", _CHOSEN_WITHOUT_STORY),
    ("a story was chosen for its edition and for no other one", _STORY_WITHOUT_CHOICE),
    ("every newsletter has decided on every article", _ARTICLE_WITHOUT_DECISION),
    ("editions are numbered without gaps", _GAPS_IN_NUMBERS),
    ("every edition has the deliveries it was stored with", _DELIVERIES_MISSING),
    ("pruned deliveries are in the totals only", _PRUNED_DELIVERIES),
    ("the ids of an edition's deliveries are one run", _DELIVERY_OUTSIDE_RUN),
    ("every reader who was active has a delivery", _READER_WITHOUT_DELIVERY),
    ("every state is a known one", _UNKNOWN_STATE),
    ("an edition is finished when its deliveries are", _FINISHED_TOO_EARLY),
    ("a delivery has an end time if and only if it has ended", _FINAL_WITHOUT_TIME),
    ("a delivery that was sent or failed was attempted", _WITHOUT_ATTEMPT),
    ("a delivery that was not sent has a reason", _STATE_WITHOUT_REASON),
    ("a deferred delivery has a time for its next attempt", _DEFERRED_WITHOUT_TIME),
    ("a delivery is due within 27 hours of its slot", _DUE_TIME_OUT_OF_RANGE),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseHealth:
    """How a database is; `faults` are SQLite's own messages, none when the file is whole.

    `readers` counts the active subscriptions of each newsletter.
    """

    faults: tuple[str, ...]
    schema: str
    articles: int
    subscribers: int
    editions: int
    readers: Mapping[str, int]


_COUNTS = """
select
    (select count(*) from articles) as articles,
    (select count(*) from subscribers) as subscribers,
    (select count(*) from editions) as editions
"""

_READERS = """
select newsletter, count(*) as readers
from subscriptions
where state = 'active'
group by newsletter
order by newsletter
"""


def health(db: Database) -> DatabaseHealth:
    """Check the whole file. This takes about a second for a gigabyte."""
    lines = [str(row[0]) for row in db.rows("pragma integrity_check(5)")]
    dangling = [
        f"a row of {row['table']} refers to a missing row of {row['parent']}"
        for row in db.rows("pragma foreign_key_check")[:5]
    ]
    counts = db.rows(_COUNTS)[0]
    steps = migrations.applied(db.connection)
    return DatabaseHealth(
        faults=tuple([line for line in lines if line != "ok"] + dangling),
        schema=steps[-1] if steps else "none",
        articles=counts["articles"],
        subscribers=counts["subscribers"],
        editions=counts["editions"],
        readers={row["newsletter"]: row["readers"] for row in db.rows(_READERS)},
    )


_EDITION_OF_ANOTHER_SLOT = """
select s.newsletter || ' ' || s.slot
from slots s left join editions e on e.id = s.edition_id
where s.state = 'prepared' and (e.newsletter is not s.newsletter or e.slot is not s.slot)
limit :most
"""

_SLOT_WITHOUT_ITS_EDITION = """
select e.newsletter || ' ' || e.slot || ' No. ' || e.number
from editions e join slots s on s.newsletter = e.newsletter and s.slot = e.slot
where s.edition_id is not e.id
limit :most
"""

_SLOT_WITHOUT_REASON = """
select newsletter || ' ' || slot from slots
where state in ('skipped', 'failed') and trim(reason) = ''
limit :most
"""

_INCONSISTENT_SLOT = f"""
select newsletter || ' ' || slot from slots
where state not in {sql_list(SlotState)}
   or (state = 'prepared') <> (edition_id is not null)
   or (state = 'skipped') <> (skipped_by is not null)
   or (hold_kind is not null and state <> 'draft')
   or (next_try_at is not null and state not in {sql_list(OPEN_SLOTS)})
   or tries < 0
limit :most
"""  # noqa: S608 (constants)

# A skipped slot may be made up for in one that was skipped itself, for a still later one.
_MADE_UP_IN_NO_LATER_SLOT = """
select s.newsletter || ' ' || s.slot
from slots s left join slots m on m.newsletter = s.newsletter and m.slot = s.made_up_in
where s.made_up_in is not null
  and (s.state <> 'skipped' or m.slot is null or m.due_at < s.due_at or m.slot = s.slot)
limit :most
"""

# For the editor and for early readers it is processed ahead of its time, and cannot fail by then.
_FAILED_BEFORE_ITS_TIME = """
select s.newsletter || ' ' || s.slot
from slots s join timetables t on t.newsletter = s.newsletter
where s.due_at > t.until and s.state = 'failed'
limit :most
"""

# The name is the wall time of some zone: at most 14 hours away from UTC, one more in spring.
_NAME_OF_ANOTHER_TIME = """
select newsletter || ' ' || slot from slots
where ifnull(abs(julianday(due_at) - julianday(slot)), 99) > 15.0 / 24
limit :most
"""

# A draft stays on record when its slot has its edition or a reason.
_DRAFT_AND_STATE_DIFFER = """
select newsletter || ' ' || slot from slots
left join drafts using (newsletter, slot)
where (slots.state = 'draft' and drafts.state is null)
   or (slots.state = 'due' and drafts.state is not null)
limit :most
"""

#: Rules about slots and drafts.
_SLOT_RULES: Final = (
    ("a slot has the edition of its own name", _EDITION_OF_ANOTHER_SLOT),
    ("the slot of an edition refers to it", _SLOT_WITHOUT_ITS_EDITION),
    ("a slot without an edition has a reason", _SLOT_WITHOUT_REASON),
    ("the columns of a slot agree with its state", _INCONSISTENT_SLOT),
    ("a slot is made up for in a later one", _MADE_UP_IN_NO_LATER_SLOT),
    ("a slot fails only after its time has come", _FAILED_BEFORE_ITS_TIME),
    ("a slot is due at the time that its name says", _NAME_OF_ANOTHER_TIME),
    ("a slot has a draft if and only if its state says so", _DRAFT_AND_STATE_DIFFER),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that is broken, and the ids of what breaks it."""

    rule: str
    ids: tuple[str, ...]


_RULES = _EDITION_RULES + _SLOT_RULES

#: At most so many ids are listed for a rule.
MOST: Final = 20


def violations(db: Database, *, most: int = MOST) -> tuple[Violation, ...]:
    """Every rule that is broken, with the first `most` ids of each."""
    broken = []
    for rule, sql in _RULES:
        ids = tuple(str(row[0]) for row in db.rows(sql, {"most": most}))
        if ids:
            broken.append(Violation(rule=rule, ids=ids))
    dangling = db.rows("pragma foreign_key_check")
    if dangling:
        ids = tuple(f"{row[0]} row {row[1]}" for row in dangling[:most])
        broken.append(Violation(rule="every reference is to a row that exists", ids=ids))
    return tuple(broken)


_EXTENT = """
select (select count(*) from editions), (select count(*) from deliveries),
       (select count(*) from decisions), (select count(*) from slots),
       (select count(*) from deliveries where state = 'sending')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much was checked. `claimed` deliveries are being sent, or were when a process died."""

    editions: int
    deliveries: int
    decisions: int
    slots: int
    claimed: int


def extent(db: Database) -> Extent:
    """How much there is to check."""
    editions, deliveries, decisions, slots, claimed = db.connection.execute(_EXTENT).fetchone()
    return Extent(
        editions=editions,
        deliveries=deliveries,
        decisions=decisions,
        slots=slots,
        claimed=claimed,
    )
