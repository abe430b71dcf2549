"""What became of an article: for each newsletter its decision, its edition, and its pin."""

from dataclasses import dataclass

from digest.model.article import Decision, Verdict
from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of an article for one newsletter; `edition` is the number it was chosen for."""

    newsletter: str
    pinned: bool
    decision: Decision | None
    edition: int | None


_FATES = """
select n.newsletter, p.article_id is not null as pinned, d.verdict, d.reason, e.number
from (
    select newsletter from decisions where article_id = :id
    union
    select newsletter from pins where article_id = :id
) n
left join pins p on p.newsletter = n.newsletter and p.article_id = :id
left join decisions d on d.newsletter = n.newsletter and d.article_id = :id
left join editions e on e.id = d.edition_id
order by n.newsletter
"""


def fates(db: Database, article_id: int) -> tuple[Fate, ...]:
    """What became of an article, for each newsletter that has decided on it or has it pinned."""
    return tuple(
        Fate(
            newsletter=row["newsletter"],
            pinned=bool(row["pinned"]),
            decision=Decision(
                article_id=article_id, verdict=Verdict(row["verdict"]), reason=row["reason"]
            )
            if row["verdict"]
            else None,
            edition=row["number"],
        )
        for row in db.rows(_FATES, {"id": article_id})
    )
