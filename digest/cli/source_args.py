"""The sources that `digest ingest` is to read: configured ones, files or URLs, with its options."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from digest.config import DateOrder, Settings, SourceKind, SourceSettings
from digest.config.cross_checks import guessed_kind
from digest.errors import UsageError
from digest.lib.redact import without_login
from digest.lib.text import nearest

#: The size limit of a file named on the command line only protects the memory.
_MOST_BYTES: Final = 1_000_000_000


def sources_named(
    names: Sequence[str], settings: Settings, overrides: Mapping[str, object]
) -> tuple[SourceSettings, ...]:
    """The sources with these names, or all configured ones, with `overrides` of their settings.

    A name is that of a configured source, or a file or URL. Overrides that are None are ignored.
    Raises UsageError.
    """
    if not names and not settings.sources:
        raise UsageError(
            "there is nothing to read: digest.toml has no [[sources]]",
            hint="Add one, or name a file or a URL: `digest ingest https://…/feed.xml`.",
        )
    values: dict[str, Any] = {key: each for key, each in overrides.items() if each is not None}
    if "name" in values:
        if len(names) != 1:
            raise UsageError("--name needs exactly one source on the command line")
        values["publisher"] = None  # readers see the given name
    chosen = [_named(name, settings, values.get("kind")) for name in dict.fromkeys(names)]
    return tuple(replace(source, **values) for source in (chosen if names else settings.sources))


def _named(name: str, settings: Settings, kind: SourceKind | None) -> SourceSettings:
    configured = {source.name: source for source in settings.sources}
    if name in configured:
        return configured[name]
    try:
        parts = urlsplit(name)
    except ValueError:
        raise UsageError(
            f"{without_login(name)!r} is not a valid URL", hint="Check the brackets of its host."
        ) from None
    if parts.scheme.lower() in ("http", "https"):
        host = parts.hostname or without_login(name)
        return SourceSettings(
            name=host,
            publisher=host,
            kind=guessed_kind(name, None) or SourceKind.FEED,
            location=name,
            timezone=settings.site.timezone,
        )
    path = Path(name).absolute()
    if path.is_dir():
        raise UsageError(
            f"{name} is a folder, expected a file, a URL or the name of a source",
            hint="Name the files in it.",
        )
    guessed = guessed_kind(None, name)
    if not path.exists() and not guessed:
        raise UsageError(
            f"{without_login(name)!r} is no source and no file{_known(name, list(configured))}",
            hint="Name a source of digest.toml, a file, or a URL that begins with https://.",
        )
    if guessed is None and kind is None:
        raise UsageError(
            f"the format of {name} is unknown: its ending does not tell",
            hint=f"Give it with --kind: {', '.join(SourceKind)}.",
        )
    return SourceSettings(
        # A file name is not a publisher.
        name=path.stem,
        publisher=settings.site.name,
        kind=kind or guessed or SourceKind.FEED,
        location=str(path),
        timezone=settings.site.timezone,
        max_bytes=_MOST_BYTES,
    )


def _known(name: str, configured: list[str]) -> str:
    if not configured:
        return ""
    close = nearest(name, configured)
    advice = f". Did you mean {close}?" if close else ""
    return f"; digest.toml has {', '.join(configured)}{advice}"


def parse_delimiter(text: str | None) -> str | None:
    """The character that `--delimiter` names. Raises UsageError."""
    if text is None:
        return None
    delimiter = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}.get(text, text)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise UsageError(
            f"--delimiter: found {text!r}, expected one character",
            hint="For a tab, give `--delimiter tab`.",
        )
    return delimiter


def parse_date_order(text: str | None) -> DateOrder | None:
    """The order that `--dates` names. Raises UsageError."""
    if text is None:
        return None
    try:
        return DateOrder(text.replace("-", " ").strip().casefold())
    except ValueError:
        raise UsageError(
            f"--dates: found {text!r}, expected day-first or month-first",
            hint="It decides how 03/04/2026 is read.",
        ) from None


def parse_zone(name: str | None) -> ZoneInfo | None:
    """The time zone that `--source-timezone` names. Raises UsageError."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"--source-timezone: there is no time zone {name!r}", hint="Such as Europe/Lisbon."
        ) from None
