"""What must be true of editions, their stories and their deliveries: each rule a question.

The answer to each is a list of ids, at most `:most` of them, and must be empty.

How a database is: whether it is whole, and what is in it.

What must be true of slots and drafts: each rule a question.

The answer to each is a list of ids, at most `:most` of them, and must be empty.

Audit: questions to the ledger whose answers must be empty.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from digest.storage import migrations
from digest.storage.database import Database

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

# Everything that an edition could have seen has a fate.
_ARTICLE_WITHOUT_FATE = """
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

_NUMBERS_WITH_GAPS = """
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

_PRUNED_AND_THERE = """
select e.newsletter || ' No. ' || e.number || ' delivery ' || d.id
from editions e join deliveries d on d.edition_id = e.id
where e.pruned_at is not null
limit :most
"""

_DELIVERIES_ASTRAY = """
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

_STATE_THAT_IS_NONE = """
select 'delivery ' || id from deliveries
where state not in
    ('queued', 'sending', 'sent', 'deferred', 'rejected', 'unknown', 'withheld')
   or (variant is null and state <> 'withheld')
union all
select newsletter || ' No. ' || number from editions
where state not in ('prepared', 'incomplete', 'sent')
limit :most
"""

_SENT_TOO_EARLY = """
select e.newsletter || ' No. ' || e.number || ' delivery ' || d.id
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
where (e.state = 'sent' and d.state in ('queued', 'sending', 'deferred', 'unknown'))
   or (e.state = 'incomplete' and d.state in ('queued', 'sending', 'deferred'))
limit :most
"""

_ENDED_WITHOUT_A_TIME = """
select 'delivery ' || id from deliveries
where (state in ('sent', 'rejected', 'unknown', 'withheld')) <> (finished_at is not null)
limit :most
"""

_UNTRIED = """
select 'delivery ' || id from deliveries
where attempts < (state in ('sending', 'sent', 'deferred', 'rejected', 'unknown'))
limit :most
"""

_DECISION_WITHOUT_REASON = """
select 'delivery ' || id from deliveries
where state in ('deferred', 'rejected', 'unknown', 'withheld') and ifnull(reply, '') = ''
limit :most
"""

_DEFERRED_FOR_EVER = """
select 'delivery ' || id from deliveries
where state = 'deferred' and next_attempt_at is null
limit :most
"""

# Zones are between 12 hours behind and 14 before UTC; an hour more where clocks are put forward.
_ODD_HOUR = """
select 'delivery ' || d.id
from editions e join deliveries d on d.id between e.first_delivery_id and e.last_delivery_id
left join slots s on s.edition_id = e.id
where d.due_at is not null
  and (julianday(d.due_at) is null or abs(julianday(d.due_at) - julianday(s.due_at)) > 27.0 / 24)
limit :most
"""

#: What a rule says, and the question for what breaks it.
EDITION_RULES: Final = (
    ("a chosen article stands in its edition", _CHOSEN_WITHOUT_STORY),
    ("a story was chosen for its edition, and for no other", _STORY_WITHOUT_CHOICE),
    ("every article has one fate for every newsletter", _ARTICLE_WITHOUT_FATE),
    ("editions are numbered without gaps", _NUMBERS_WITH_GAPS),
    ("every edition has the deliveries it was stored with", _DELIVERIES_MISSING),
    ("what was pruned is in the totals only", _PRUNED_AND_THERE),
    ("no delivery belongs to another run of ids", _DELIVERIES_ASTRAY),
    ("every reader who was active has a delivery", _READER_WITHOUT_DELIVERY),
    ("every state is one that there is", _STATE_THAT_IS_NONE),
    ("an edition is finished when its deliveries are", _SENT_TOO_EARLY),
    ("what has ended has a time, and nothing else has", _ENDED_WITHOUT_A_TIME),
    ("what was sent was attempted", _UNTRIED),
    ("who does not have an edition is told why", _DECISION_WITHOUT_REASON),
    ("what is deferred has a time at which it is tried again", _DEFERRED_FOR_EVER),
    ("a reader's hour is within a day or so of the slot", _ODD_HOUR),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseHealth:
    """What a look at a database showed; `faults` are SQLite's own words, none when it is whole.

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
    """Read the whole file and look. Takes a second for a gigabyte or so."""
    whole = [str(row[0]) for row in db.rows("pragma integrity_check(5)")]
    dangling = [
        f"a row of {row['table']} points to nothing in {row['parent']}"
        for row in db.rows("pragma foreign_key_check")[:5]
    ]
    counts = db.rows(_COUNTS)[0]
    steps = migrations.applied(db.connection)
    return DatabaseHealth(
        faults=tuple([line for line in whole if line != "ok"] + dangling),
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

_CANNOT_BE = """
select newsletter || ' ' || slot from slots
where state not in ('due', 'draft', 'prepared', 'skipped', 'failed')
   or (state = 'prepared') <> (edition_id is not null)
   or (next_try_at is not null and state not in ('due', 'draft'))
   or tries < 0
limit :most
"""

# A skipped slot may be made up for in one that was skipped itself, for a still later one.
_MADE_UP_IN_NOTHING = """
select s.newsletter || ' ' || s.slot
from slots s left join slots m on m.newsletter = s.newsletter and m.slot = s.made_up_in
where s.made_up_in is not null
  and (s.state <> 'skipped' or m.slot is null or m.due_at < s.due_at or m.slot = s.slot)
limit :most
"""

# The editor and early readers may have it seen to ahead of its time; it cannot have failed by then.
_NOT_YET_COME = """
select s.newsletter || ' ' || s.slot
from slots s join timetables t on t.newsletter = s.newsletter
where s.due_at > t.until and s.state = 'failed'
limit :most
"""

# The name is the wall time of some zone: at most 14 hours away from UTC, one more in spring.
_ANOTHER_TIME = """
select newsletter || ' ' || slot from slots
where ifnull(abs(julianday(due_at) - julianday(slot)), 99) > 15.0 / 24
limit :most
"""

# A draft stays on record when its slot has its edition or a reason.
_DRAFT_ASTRAY = """
select newsletter || ' ' || slot from slots
left join drafts using (newsletter, slot)
where (slots.state = 'draft' and drafts.state is null)
   or (slots.state = 'due' and drafts.state is not null)
limit :most
"""

#: What a rule says, and the question for what breaks it.
SCHEDULE_RULES: Final = (
    ("a slot has the edition of its own name", _EDITION_OF_ANOTHER_SLOT),
    ("an edition that was made for a slot is on record there", _SLOT_WITHOUT_ITS_EDITION),
    ("a slot without an edition has a reason", _SLOT_WITHOUT_REASON),
    ("a slot is open, or has its edition or its reason", _CANNOT_BE),
    ("a slot that is made up for is so in a later one", _MADE_UP_IN_NOTHING),
    ("a slot that failed has come", _NOT_YET_COME),
    ("a slot comes at the time that its name says", _ANOTHER_TIME),
    ("a slot that waits for an editor has its draft", _DRAFT_ASTRAY),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """Something in the ledger that cannot be: a rule, and the ids that break it."""

    rule: str
    ids: tuple[str, ...]


_RULES = EDITION_RULES + SCHEDULE_RULES

#: So many ids of what breaks a rule are told.
MOST: Final = 20


def violations(db: Database, *, most: int = MOST) -> tuple[Violation, ...]:
    """Every rule that is broken, with the first `most` ids of each."""
    found = []
    for rule, sql in _RULES:
        ids = tuple(str(row[0]) for row in db.rows(sql, {"most": most}))
        if ids:
            found.append(Violation(rule=rule, ids=ids))
    dangling = db.rows("pragma foreign_key_check")
    if dangling:
        ids = tuple(f"{row[0]} row {row[1]}" for row in dangling[:most])
        found.append(Violation(rule="nothing refers to what is not there", ids=ids))
    return tuple(found)


_FACTS = """
select (select count(*) from editions), (select count(*) from deliveries),
       (select count(*) from decisions), (select count(*) from slots),
       (select count(*) from deliveries where state = 'sending')
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How much was looked at. `claimed` deliveries are being sent, or were when a process died."""

    editions: int
    deliveries: int
    decisions: int
    slots: int
    claimed: int


def extent(db: Database) -> Extent:
    """How much there is to look at."""
    editions, deliveries, decisions, slots, claimed = db.connection.execute(_FACTS).fetchone()
    return Extent(
        editions=editions,
        deliveries=deliveries,
        decisions=decisions,
        slots=slots,
        claimed=claimed,
    )
