"""Which column of a table, or key of an object, is which of our fields."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from digest.errors import SourceError
from digest.ingest.rows import Field
from digest.lib.text import nearest

#: Names that sources use, the likeliest first, compared without case, spaces, `_`, `-` and `:`.
ALIASES: Final[Mapping[Field, tuple[str, ...]]] = {
    Field.GUID: ("guid", "id", "uid", "uuid", "articleid", "itemid", "postid"),
    Field.TITLE: ("title", "headline", "posttitle", "head"),
    Field.URL: ("url", "link", "permalink", "href", "weburl", "externalurl", "articleurl"),
    Field.SUMMARY: (
        *("summary", "description", "deck", "dek", "excerpt", "standfirst", "teaser", "abstract"),
        *("subtitle", "lede", "lead", "snippet"),
    ),
    Field.CONTENT: (
        *("content", "contenthtml", "contentencoded", "contenttext", "body", "bodyhtml"),
        *("articlebody", "text", "html", "fulltext"),
    ),
    Field.IMAGE_URL: (
        *("imageurl", "image", "imagelink", "thumbnail", "thumbnailurl", "picture", "photo"),
        *("featuredimage", "bannerimage"),
    ),
    Field.AUTHOR: ("author", "authors", "byline", "creator", "dccreator", "writer"),
    Field.PUBLISHER: ("source", "publisher", "sourcename", "publication", "sitename"),
    Field.SECTION: ("section", "category", "topic", "desk", "rubric"),
    Field.TAGS: ("tags", "keywords", "categories", "topics", "labels"),
    Field.PRIORITY: ("priority", "weight", "rank", "importance"),
    Field.PUBLISHED_AT: (
        *("publishedat", "published", "datepublished", "pubdate", "publisheddate", "publishdate"),
        *("publicationdate", "publishedon", "dcdate", "date", "datetime", "postdate", "createdat"),
        *("created", "timestamp", "time", "datemodified", "updated", "updatedat"),
    ),
    Field.EXPIRES_AT: ("expiresat", "expires", "expirationdate", "expiry", "dateexpires"),
}

REQUIRED: Final = (Field.TITLE, Field.URL)


def matched(header: Sequence[str], configured: Mapping[str, str]) -> dict[Field, str]:
    """The columns that a header has for our fields; what is configured wins over usual names."""
    chosen = {field: configured[field] for field in Field if configured.get(field) in tuple(header)}
    taken = set(chosen.values())
    folded: dict[str, str] = {}
    for column in header:
        if column not in taken:
            folded.setdefault(_folded(column), column)
    for field, names in ALIASES.items():
        usual = next((folded[name] for name in names if name in folded), None)
        if usual is not None and field not in configured:
            chosen[field] = usual
    return chosen


def columns_of(
    header: Sequence[str], configured: Mapping[str, str], where: str
) -> dict[Field, str]:
    """`matched`, where nothing may be missing that is configured or required.

    Raises SourceError, which names the nearest column that there is. `where` names the table.
    """
    for field, column in configured.items():
        if column not in header:
            raise SourceError(
                f"{where} has no column {column!r} for {field}; it has {listed(header)}."
                + did_you_mean(column, header),
                hint="Correct `columns` at the source in digest.toml.",
            )
    chosen = matched(header, configured)
    for field in REQUIRED:
        if field not in chosen:
            raise SourceError(
                f"{where} has no column for {field}; it has {listed(header)}."
                + did_you_mean(field, header),
                hint=f'Say which: columns = {{ {field} = "…" }} at the source in digest.toml.',
            )
    return chosen


def keys_of(item: Iterable[str], configured: Mapping[str, str]) -> dict[Field, tuple[str, ...]]:
    """The keys that an object has for our fields, the likeliest first; any may be missing."""
    folded: dict[str, str] = {}
    for key in item:
        folded.setdefault(_folded(key), key)
    return {
        field: (configured[field],)
        if field in configured
        else tuple(folded[name] for name in names if name in folded)
        for field, names in ALIASES.items()
    }


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """` Did you mean …?`, or nothing where no name is near."""
    suggestion = nearest(name, known, fold=_folded)
    return f" Did you mean {suggestion}?" if suggestion else ""


def listed(names: Sequence[str]) -> str:
    """Names for a message, the first dozen of them."""
    shown = ", ".join(name if len(name) <= 30 else name[:29] + "…" for name in names[:12])
    return f"{shown}, … ({len(names)} in all)" if len(names) > 12 else shown or "none"


def _folded(name: str) -> str:
    return "".join(c for c in name.casefold() if c.isalnum())
