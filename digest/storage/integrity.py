"""Integrity: what must be true of the database, as queries whose result must be empty.

Each rule is a sentence, and a query for the ids of what breaks it.
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
from digest.storage.rows import from_row, sql_list


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
    steps = migrations.applied(db.connection)
    return from_row(
        DatabaseHealth,
        db.rows(_COUNTS)[0],
        faults=tuple([line for line in lines if line != "ok"] + dangling),
        schema=steps[-1] if steps else "none",
        readers={row["newsletter"]: row["readers"] for row in db.rows(_READERS)},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that is broken, and the ids of what breaks it."""

    rule: str
    ids: tuple[str, ...]


#: Each rule, with a query for the ids of what breaks it.
_RULES: Final = {
    # Editions, their stories and their deliveries.
    "an article that was chosen is a story of its edition": """
select d.newsletter || ' article ' || d.article_id
from decisions d
where d.verdict = 'chosen' and not exists (
    select 1 from stories s where s.edition_id = d.edition_id and s.article_id = d.article_id)
""",
    "a story was chosen for its edition and for no other one": """
select e.newsletter || ' No. ' || e.number || ' article ' || s.article_id
from stories s join editions e on e.id = s.edition_id
where not exists (
    select 1 from decisions d where d.newsletter = e.newsletter and d.article_id = s.article_id
      and d.verdict = 'chosen' and d.edition_id = e.id)
""",
    # Everything that an edition could have chosen is decided on.
    "every newsletter has decided on every article": """
select e.newsletter || ' article ' || a.id
from (select newsletter, max(cutoff) as cutoff, max(last_article_id) as last_article_id
      from editions group by newsletter) e
join articles a on a.published_at < e.cutoff and a.id <= e.last_article_id
where a.published_at < (select x.cutoff from editions x
                        where x.newsletter = e.newsletter order by number desc limit 1)
  and not exists (
    select 1 from decisions d where d.newsletter = e.newsletter and d.article_id = a.id)
""",
    "editions are numbered without gaps": """
select newsletter from editions group by newsletter having count(*) <> max(number) """,
    # Of pruned deliveries the totals are left; those that are not pruned are still there.
    "every edition has the deliveries it was stored with": """
select e.newsletter || ' No. ' || e.number from editions e
where e.first_delivery_id is null or (
    select count(*) from deliveries d
    where d.id between e.first_delivery_id and e.last_delivery_id and d.edition_id = e.id
  ) + (
    select ifnull(sum(t.n), 0) from delivery_totals t where t.edition_id = e.id
  ) <> e.last_delivery_id - e.first_delivery_id + 1
""",
    "pruned deliveries are in the totals only": """
select e.newsletter || ' No. ' || e.number || ' delivery ' || d.id
from editions e join deliveries d on d.edition_id = e.id
where e.pruned_at is not null
""",
    "the ids of an edition's deliveries are one run": """
select 'delivery ' || d.id from deliveries d join editions e on e.id = d.edition_id
where d.id not between e.first_delivery_id and e.last_delivery_id
""",
    # Receipts are numbered as they are written, whatever the clock says: a reader who is active
    # now, and whose last receipt was written before the edition was stored, was active then.
    "every reader who was active has a delivery": """
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
""",
    "every state is a known one": f"""
select 'delivery ' || id from deliveries
where state not in {sql_list(DeliveryState)}
   or (variant is null and state <> 'withheld')
union all
select newsletter || ' No. ' || number from editions
where state not in {sql_list(EditionState)}
""",  # noqa: S608 (constants)
    "an edition is finished when its deliveries are": f"""
select newsletter || ' No. ' || number || ' delivery ' || id from edition_deliveries
where (edition_state = 'sent' and state not in {sql_list(SETTLED_DELIVERIES)})
   or (edition_state = 'incomplete' and state in {sql_list(OPEN_DELIVERIES)})
""",  # noqa: S608 (constants)
    "a delivery has an end time if and only if it has ended": f"""
select 'delivery ' || id from deliveries
where (state in {sql_list(FINAL_DELIVERIES)}) <> (finished_at is not null)
""",  # noqa: S608 (a constant)
    "a delivery that was sent or failed was attempted": f"""
select 'delivery ' || id from deliveries
where attempts < (state in {sql_list(ATTEMPTED_DELIVERIES)})
""",  # noqa: S608 (a constant)
    # Whoever reads the status is told why a delivery that was processed is not sent.
    "a delivery that was not sent has a reason": """
select 'delivery ' || id from deliveries
where state not in ('queued', 'sending', 'sent') and ifnull(reply, '') = ''
""",
    "a deferred delivery has a time for its next attempt": """
select 'delivery ' || id from deliveries
where state = 'deferred' and next_attempt_at is null
""",
    # Zones are between 12 hours behind and 14 before UTC; an hour more where clocks are put
    # forward.
    "a delivery is due within 27 hours of its slot": """
select 'delivery ' || d.id
from edition_deliveries d left join slots s on s.edition_id = d.edition_id
where d.due_at is not null
  and (julianday(d.due_at) is null or abs(julianday(d.due_at) - julianday(s.due_at)) > 27.0 / 24)
""",
    # Slots and drafts.
    "a slot has the edition of its own name": """
select s.newsletter || ' ' || s.slot
from slots s left join editions e on e.id = s.edition_id
where s.state = 'prepared' and (e.newsletter is not s.newsletter or e.slot is not s.slot)
""",
    "the slot of an edition refers to it": """
select e.newsletter || ' ' || e.slot || ' No. ' || e.number
from editions e join slots s on s.newsletter = e.newsletter and s.slot = e.slot
where s.edition_id is not e.id
""",
    "a slot without an edition has a reason": """
select newsletter || ' ' || slot from slots
where state in ('skipped', 'failed') and trim(reason) = ''
""",
    "the columns of a slot agree with its state": f"""
select newsletter || ' ' || slot from slots
where state not in {sql_list(SlotState)}
   or (state = 'prepared') <> (edition_id is not null)
   or (state = 'skipped') <> (skipped_by is not null)
   or (hold_kind is not null and state <> 'draft')
   or (next_try_at is not null and state not in {sql_list(OPEN_SLOTS)})
   or tries < 0
""",  # noqa: S608 (constants)
    # A skipped slot may be made up for in one that was skipped itself, for a still later one.
    "a slot is made up for in a later one": """
select s.newsletter || ' ' || s.slot
from slots s left join slots m on m.newsletter = s.newsletter and m.slot = s.made_up_in
where s.made_up_in is not null
  and (s.state <> 'skipped' or m.slot is null or m.due_at < s.due_at or m.slot = s.slot)
""",
    # For the editor and for early readers it is processed ahead of its time, and cannot fail by
    # then.
    "a slot fails only after its time has come": """
select s.newsletter || ' ' || s.slot
from slots s join timetables t on t.newsletter = s.newsletter
where s.due_at > t.until and s.state = 'failed'
""",
    # The name is the wall time of some zone: at most 14 hours away from UTC, one more in spring.
    "a slot is due at the time that its name says": """
select newsletter || ' ' || slot from slots
where ifnull(abs(julianday(due_at) - julianday(slot)), 99) > 15.0 / 24
""",
    # A draft stays on record when its slot has its edition or a reason.
    "a slot has a draft if and only if its state says so": """
select newsletter || ' ' || slot from slots
left join drafts using (newsletter, slot)
where (slots.state = 'draft' and drafts.state is null)
   or (slots.state = 'due' and drafts.state is not null)
""",
}

#: At most so many ids are listed for a rule.
MOST: Final = 20


def violations(db: Database, *, most: int = MOST) -> tuple[Violation, ...]:
    """Every rule that is broken, with the first `most` ids of each."""
    broken = []
    for rule, sql in _RULES.items():
        ids = tuple(str(row[0]) for row in db.rows(f"{sql} limit ?", (most,)))
        if ids:
            broken.append(Violation(rule=rule, ids=ids))
    dangling = db.rows("pragma foreign_key_check")
    if dangling:
        ids = tuple(f"{row[0]} row {row[1]}" for row in dangling[:most])
        broken.append(Violation(rule="every reference is to a row that exists", ids=ids))
    return tuple(broken)


_EXTENT = """
select (select count(*) from editions) as editions,
       (select count(*) from deliveries) as deliveries,
       (select count(*) from decisions) as decisions,
       (select count(*) from slots) as slots,
       (select count(*) from deliveries where state = 'sending') as claimed
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
    return db.values(Extent, _EXTENT)[0]
