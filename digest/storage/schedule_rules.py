"""What must be true of slots and drafts: each rule a question.

The answer to each is a list of ids, at most `:most` of them, and must be empty.
"""

from typing import Final

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

_WITHOUT_REASON = """
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
RULES: Final = (
    ("a slot has the edition of its own name", _EDITION_OF_ANOTHER_SLOT),
    ("an edition that was made for a slot is on record there", _SLOT_WITHOUT_ITS_EDITION),
    ("a slot without an edition has a reason", _WITHOUT_REASON),
    ("a slot is open, or has its edition or its reason", _CANNOT_BE),
    ("a slot that is made up for is so in a later one", _MADE_UP_IN_NOTHING),
    ("a slot that failed has come", _NOT_YET_COME),
    ("a slot comes at the time that its name says", _ANOTHER_TIME),
    ("a slot that waits for an editor has its draft", _DRAFT_ASTRAY),
)
