"""What became of one article for one newsletter, and why."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The fate of an article. Every one is final but `WAITING`, which the next edition revises."""

    CHOSEN = "chosen"
    WAITING = "waiting"
    DUPLICATE = "duplicate"
    OUT_OF_SCOPE = "out of scope"
    TOO_OLD = "too old"
    EXPIRED = "expired"
    DROPPED = "dropped"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One article's fate for one newsletter. `reason` is a sentence for the editor."""

    article_id: int
    verdict: Verdict
    reason: str
