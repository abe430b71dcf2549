"""What makes an article the same article when it is read again. Pure.

Its identity is its GUID, which means something within one source only; else its canonical link;
else, where the link does not say which article it is, a hash of title and source. Feeds change
their GUIDs, and sources lose and gain them: `same_article` knows such an article again.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from digest.lib.timestamps import to_text
from digest.model.article import NewArticle

_BY_TITLE: Final = "title:"
_LONGEST_GUID: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredIdentity:
    """What a stored article is known by. `published_at` is as storage writes it, by `to_text`."""

    identity: str
    guid: str | None
    source: str
    title: str
    published_at: str | None


def identity_of(article: NewArticle, source: str, *, url_identifies: bool) -> str:
    """The identity of an article that was read from `source`."""
    if article.guid:
        guid = article.guid
        return f"guid:{source}:{guid if len(guid) <= _LONGEST_GUID else f'sha256:{_hash(guid)}'}"
    if url_identifies:
        return f"url:{article.canonical_url}"
    return f"{_BY_TITLE}{_hash(source, article.title.casefold())}"


def same_article(article: NewArticle, stored: StoredIdentity, *, only_one: bool) -> bool:
    """Whether two articles with one canonical link are the same, whatever their identities.

    With one source and title they are where the link identifies, where one side has no GUID, or
    where both were published at the same time. With another title, the link must identify and lead
    to this stored article of the source alone (`only_one`), and one side must have no GUID.
    """
    if stored.source != article.source:
        return False
    lacks_guid = article.guid is None or stored.guid is None
    if stored.title != article.title:
        by_title = stored.identity.startswith(_BY_TITLE)
        return only_one and article.url_identifies and lacks_guid and not by_title
    return (
        article.url_identifies
        or lacks_guid
        or (
            article.published_at is not None
            and to_text(article.published_at) == stored.published_at
        )
    )


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
