"""An article: one published piece; and what a newsletter decided on it."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class NewArticle:
    """An article as a source told it, cleaned: plain text, absolute links, aware times.

    `identity` is what makes it the same article when it is read again: see
    `digest.model.article_identity`. `url_identifies` is False for a link that says not which
    article it is: a homepage, or one that several articles share. `published_at` is None where the
    source gives no date; storage takes the time of first sight. `image_url` is http(s), or a path
    inside the newsletter's folder: that image travels along.
    """

    identity: str
    source: str
    url: str
    canonical_url: str
    title: str
    guid: str | None = None
    summary: str = ""
    content: str = ""
    image_url: str | None = None
    author: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = ()
    priority: int = 0
    published_at: datetime | None = None
    expires_at: datetime | None = None
    url_identifies: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """An article as it is stored.

    `pinned` is the editor's word for the newsletter that is asked about. A larger `priority` comes
    first; `id` grows in the order of reading, which is the order of the source's own page.
    """

    id: int
    source: str
    url: str
    title: str
    published_at: datetime
    first_seen_at: datetime
    summary: str = ""
    image_url: str | None = None
    author: str | None = None
    section: str | None = None
    tags: tuple[str, ...] = field(default=())
    priority: int = 0
    pinned: bool = False
    expires_at: datetime | None = None
    withdrawn_at: datetime | None = None
    edited_at: datetime | None = None


class Verdict(StrEnum):
    """What was decided on an article. All are final but `WAITING`: the next edition revises it."""

    CHOSEN = "chosen"
    WAITING = "waiting"
    DUPLICATE = "duplicate"
    OUT_OF_SCOPE = "out of scope"
    TOO_OLD = "too old"
    EXPIRED = "expired"
    DROPPED = "dropped"
    WITHDRAWN = "withdrawn"

    def with_reason(self, reason: str) -> str:
        """The verdict and its reason, for people: `too old: published before …`."""
        # Their reasons are "withdrawn at …" and "expired at …".
        explained = self in (Verdict.WITHDRAWN, Verdict.EXPIRED)
        return reason if explained else f"{self}: {reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a newsletter decided on an article. `reason` is a sentence for the editor."""

    article_id: int
    verdict: Verdict
    reason: str
