"""Answers: what readers say to the questions that a site's templates ask (`VariantKey.fields`).

The lists are made by SQLite wherever they are compared, so that one text is always written alike.
"""

import json
from collections.abc import Sequence
from typing import Final

from digest.storage.database import Database

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


def count_different(db: Database, newsletter: str, questions: Sequence[str]) -> int:
    """How many different answers the active readers of a newsletter have to these questions."""
    row = db.row(_COUNT, {"newsletter": newsletter, "questions": as_parameter(questions)})
    return row["different"] if row else 0
