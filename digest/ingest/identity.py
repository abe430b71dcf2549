"""What makes an article the same article when it is read again.

Its GUID, which means something within one source only; else its canonical link; else, where the
link does not say which article it is, a hash of title and source.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from digest.ingest.urls import is_homepage
from digest.model.article import NewArticle


def identified(articles: Iterable[NewArticle], source: str) -> tuple[NewArticle, ...]:
    """The articles of one reading of `source`, each with its identity.

    A homepage identifies no article, and neither does a link that several titles of the reading
    share: those articles live by their GUID or their title.
    """
    articles = tuple(articles)
    titles = defaultdict(set)
    for article in articles:
        titles[article.canonical_url].add(article.title.casefold())
    return tuple(
        _identified(
            article,
            source,
            url_identifies=not is_homepage(article.canonical_url)
            and len(titles[article.canonical_url]) == 1,
        )
        for article in articles
    )


def _identified(article: NewArticle, source: str, *, url_identifies: bool) -> NewArticle:
    if article.guid:
        identity = f"guid:{source}:{_bounded(article.guid)}"
    elif url_identifies:
        identity = f"url:{article.canonical_url}"
    else:
        identity = f"title:{_hash(source, article.title.casefold())}"
    return replace(article, identity=identity, url_identifies=url_identifies)


def _bounded(guid: str) -> str:
    return guid if len(guid) <= 500 else f"sha256:{_hash(guid)}"


def _hash(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()
