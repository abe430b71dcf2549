"""What comes out of a source, step by step: text, rows, articles, what was rejected, and notes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, assert_never

from digest.config.settings import SourceSettings
from digest.errors import SourceError
from digest.lib.text_files import DecodedText, NotText, UnknownEncoding, WrongEncoding, decode
from digest.model.article import NewArticle

_EXCERPT: Final = 80


class Field(StrEnum):
    """What a source can say about an article. Only TITLE and URL are required.

    PUBLISHER is a row's own `source`; without it the article is from the source that is read.
    """

    GUID = "guid"
    TITLE = "title"
    URL = "url"
    SUMMARY = "summary"
    CONTENT = "content"
    IMAGE_URL = "image_url"
    AUTHOR = "author"
    PUBLISHER = "source"
    SECTION = "section"
    TAGS = "tags"
    PRIORITY = "priority"
    PUBLISHED_AT = "published_at"
    EXPIRES_AT = "expires_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One article as the source wrote it. `place` says where, as in `line 12`.

    `tags` is for sources that have lists; a text of tags stands in `fields` and is split later.
    `base` is what its relative links are relative to where nobody else says so.
    """

    place: str
    fields: Mapping[Field, str]
    tags: tuple[str, ...] = ()
    base: str | None = None


class Unusable(ValueError):
    """A value that cannot be used; `hint` is what its owner can do about that."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something to know about a source that was read. An empty `place` is all of it."""

    text: str
    place: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectedRow:
    """A row that did not become an article, and why. `excerpt` helps to find it again.

    `hint` is what to do about it, where something can be done beyond correcting the row.
    """

    place: str
    reason: str
    excerpt: str = ""
    hint: str = ""

    def __post_init__(self) -> None:
        printable = "".join(c if c.isprintable() else " " for c in self.excerpt[: _EXCERPT * 2])
        shown = " ".join(printable.split())
        if len(shown) > _EXCERPT or len(self.excerpt) > _EXCERPT * 2:
            shown = shown[: _EXCERPT - 1] + "…"
        object.__setattr__(self, "excerpt", shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReading:
    """What one reading of a source came to.

    `etag` and `last_modified` are the server's, to be told next time; `not_modified` means that it
    had nothing new to say since.
    """

    articles: tuple[NewArticle, ...] = ()
    rejected: tuple[RejectedRow, ...] = ()
    notes: tuple[Note, ...] = ()
    etag: str | None = None
    last_modified: str | None = None
    not_modified: bool = False


def excerpt_of(row: Row) -> str:
    """What an editor would know a row by."""
    return row.fields.get(Field.TITLE) or row.fields.get(Field.URL) or ""


def text_of(content: bytes, source: SourceSettings) -> tuple[str, tuple[Note, ...]]:
    """The text of a source's document, with a note where its encoding had to be guessed.

    Raises SourceError for what is no text, or not in the encoding that it should be in.
    """
    match decode(content, source.encoding):
        case DecodedText(text=text, not_utf_8=None):
            return text, ()
        case DecodedText(text=text, not_utf_8=line):
            note = Note(
                place=f"line {line:,}",
                text="it is not UTF-8, so the file was read as Windows-1252; if names look wrong,"
                " name the encoding: --encoding, or `encoding` at the source in digest.toml",
            )
            return text, (note,)
        case NotText(kind=kind):
            raise SourceError(
                f"{source.name} is {kind}", hint="Export it as CSV or JSON, or name its kind."
            )
        case UnknownEncoding(encoding=encoding):
            raise SourceError(
                f"{source.name}: there is no encoding {encoding!r}",
                hint='Usual ones are "utf-8", "windows-1252", "iso-8859-1", "utf-16".',
            )
        case WrongEncoding() as wrong:
            raise SourceError(
                f"{source.name} is not {wrong.encoding}: found 0x{wrong.octet:02x} at byte"
                f" {wrong.offset:,} (line {wrong.line:,})",
                hint='Say what it is: encoding = "windows-1252" at the source in digest.toml, or'
                " --encoding windows-1252.",
            )
        case unreachable:
            assert_never(unreachable)
