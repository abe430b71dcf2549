"""Drafts: what the edition of a slot is to hold, and what the editor has decided about it.

Its content is JSON: `proposal` is what `digest.model.draft` describes, `approved` the text that
the seal is the hash of.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from digest.errors import Superseded
from digest.lib.timestamps import to_text
from digest.model.article import Article, Verdict
from digest.model.draft import Approval, Draft, DraftContents, DraftItem, DraftState
from digest.model.edition import Placement
from digest.model.slot import Slot, SlotRecord, SlotState
from digest.storage import slots
from digest.storage.database import Database
from digest.storage.rows import from_row

_DRAFTS = """
select d.*, d.slot as name, s.due_at as at from drafts d join slots s using (newsletter, slot)
"""
_FIND = f"{_DRAFTS} where d.newsletter = ? and d.slot = ?"


def find(db: Database, slot: Slot) -> Draft | None:
    """The draft of a slot, whatever became of it."""
    row = db.row(_FIND, (slot.newsletter, slot.name))
    return _draft(row) if row else None


_OPEN = f"{_DRAFTS} where s.newsletter = ? and s.state = 'draft' order by s.due_at, s.slot"


def still_open(db: Database, newsletter: str) -> tuple[Draft, ...]:
    """The drafts whose slots have neither an edition nor a reason yet, the earliest slot first."""
    return tuple(_draft(row) for row in db.rows(_OPEN, (newsletter,)))


_ADD = """
insert into drafts (newsletter, slot, state, content, made_at)
values (:newsletter, :slot, 'waiting', :content, :now)
on conflict (newsletter, slot) do update
set state = 'waiting', content = excluded.content, seal = null, made_at = excluded.made_at,
    decided_at = null
"""


def add(db: Database, slot: Slot, contents: DraftContents, now: datetime) -> None:
    """Keep the draft of a slot, which then is in the state DRAFT.

    Raises Superseded if the slot has its edition or a reason, or another process made a draft.
    """
    with db.transaction():
        added = slots.add(db, SlotRecord(slot=slot, state=SlotState.DRAFT), now)
        record = slots.find(db, slot.newsletter, slot.name)
        if record is None or record.state is not (SlotState.DRAFT if added else SlotState.DUE):
            raise Superseded(f"the slot {slot.name} of {slot.newsletter} was processed meanwhile")
        slots.settle(db, replace(record.waiting(""), state=SlotState.DRAFT), now)
        values = {"newsletter": slot.newsletter, "slot": slot.name, "now": to_text(now)}
        db.execute(_ADD, values | {"content": _as_json(contents, None)})


_DECIDE = """
update drafts set state = :state, content = :content, seal = :seal, decided_at = :now
where newsletter = :newsletter and slot = :slot
  and exists (select 1 from slots s where s.newsletter = :newsletter and s.slot = :slot
              and s.state = 'draft')
"""

# Whatever it was held for, the next tick processes it.
_CLEAR_HOLD = """
update slots set reason = '', hold_kind = null, next_try_at = null
where newsletter = ? and slot = ? and state = 'draft'
"""


def decide(
    db: Database,
    slot: Slot,
    contents: DraftContents,
    state: DraftState,
    *,
    approval: Approval | None = None,
    now: datetime,
) -> None:
    """Record the editor's decision. Raises Superseded if the slot is no longer a draft."""
    with db.transaction():
        changed = db.execute(
            _DECIDE,
            {
                "newsletter": slot.newsletter,
                "slot": slot.name,
                "state": state,
                "content": _as_json(contents, approval),
                "seal": approval.seal if approval else None,
                "now": to_text(now),
            },
        )
        if changed.rowcount != 1:
            raise Superseded(
                f"the draft of {slot.newsletter} for {slot.name} is no longer open",
                hint="`digest status` shows what became of it.",
            )
        db.execute(_CLEAR_HOLD, (slot.newsletter, slot.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArticleStatus:
    """An article and how a newsletter stands to it; `edition` is the number that had it."""

    article: Article
    verdict: Verdict | None
    edition: int | None


_STATUSES = """
select a.*, p.article_id is not null as pinned, d.verdict, e.number as edition
from json_each(:ids) wanted
join articles a on a.id = wanted.value
left join decisions d on d.newsletter = :newsletter and d.article_id = a.id
left join editions e on e.id = d.edition_id
left join pins p on p.newsletter = :newsletter and p.article_id = a.id
"""


def article_statuses(
    db: Database, newsletter: str, ids: Iterable[int]
) -> Mapping[int, ArticleStatus]:
    """The articles with these ids, and what was decided about each; unknown ids are absent."""
    values = {"newsletter": newsletter, "ids": json.dumps(list(ids))}
    statuses = db.values(ArticleStatus, _STATUSES, values)
    return {status.article.id: status for status in statuses}


def _as_json(contents: DraftContents, approval: Approval | None) -> str:
    approved = approval.content if approval else None
    return json.dumps({"proposal": asdict(contents), "approved": approved}, ensure_ascii=False)


def _draft(row: sqlite3.Row) -> Draft:
    content = json.loads(row["content"])
    approved = content["approved"]
    return from_row(
        Draft,
        row,
        contents=_contents(**content["proposal"]),
        approval=Approval(content=approved, seal=row["seal"]) if row["seal"] else None,
    )


def _contents(
    *,
    placed: Iterable[dict[str, Any]],
    dropped: Iterable[int],
    intro: Iterable[str],
    **others: Any,
) -> DraftContents:
    items = (DraftItem(**item | {"placement": Placement(item["placement"])}) for item in placed)
    return DraftContents(placed=tuple(items), dropped=tuple(dropped), intro=tuple(intro), **others)
