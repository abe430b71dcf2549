"""Skipped: there is no edition now, and why, in words that say what to do."""

from dataclasses import dataclass
from datetime import datetime

from digest.lib.formatting import counted, in_words
from digest.model.newsletter import Newsletter
from digest.selection import TooFew
from digest.storage.candidates import Surroundings, surroundings
from digest.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Nothing was sent, and nothing was written. `reason` is a sentence."""

    reason: str


NOBODY = Skipped(reason="nobody would receive it: there is no active reader it suits")


def too_few(db: Database, newsletter: Newsletter, result: TooFew, now: datetime) -> Skipped:
    """Why selection found no edition: too few new stories, or none, and what there is instead."""
    if result.found:
        found = counted(result.found, "new story", "new stories")
        return Skipped(reason=f"{found}, and an edition needs {result.needed} (min_items)")
    since = now - newsletter.rules.max_age
    around = surroundings(db, newsletter.key, since=since, cutoff=now)
    return Skipped(reason=_nothing_new(newsletter, around))


def _nothing_new(newsletter: Newsletter, around: Surroundings) -> str:
    def local(instant: datetime) -> str:
        return instant.astimezone(newsletter.timezone).strftime("%Y-%m-%d %H:%M")

    if around.before is not None:
        return (
            f"there is nothing new: the newest article that was not in an edition is of"
            f" {local(around.before)}, and max_age is {in_words(newsletter.rules.max_age)}"
        )
    if around.after is not None:
        return f"there is nothing new: the next article is dated {local(around.after)}"
    if not around.any:
        return "there are no articles yet; `digest ingest` brings them in"
    return "there is nothing new"
