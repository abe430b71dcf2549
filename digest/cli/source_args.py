"""What somebody names on the command line, as a source: a configured one, a file, or an address."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from digest.config import DateOrder, Settings, SourceKind, SourceSettings
from digest.config.cross_checks import guessed_kind
from digest.errors import UsageError
from digest.lib.redact import without_login
from digest.lib.text import nearest

#: A file that somebody names is meant: its limit only keeps the memory from filling.
_MOST_BYTES: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says about the sources that it names; None where it says nothing."""

    kind: SourceKind | None = None
    name: str | None = None
    table: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    section: str | None = None
    timezone: str | None = None
    dates: str | None = None
    allow_private: bool = False


def sources_named(
    names: Sequence[str], settings: Settings, options: Options
) -> tuple[SourceSettings, ...]:
    """The configured sources of these names, and files and addresses; all configured for none.

    Raises UsageError for a name that is nothing of the kind.
    """
    if not names and not settings.sources:
        raise UsageError(
            "there is nothing to read: digest.toml has no [[sources]]",
            hint="Add one, or name a file or an address: `digest ingest https://…/feed.xml`.",
        )
    if options.name is not None and len(names) != 1:
        raise UsageError("--name goes with one source, named on the command line")
    chosen = [_named(name, settings, options) for name in dict.fromkeys(names)]
    return _overridden(tuple(chosen) if names else settings.sources, options)


def _overridden(
    sources: tuple[SourceSettings, ...], options: Options
) -> tuple[SourceSettings, ...]:
    given: dict[str, object] = {
        key: value
        for key, value in (
            ("kind", options.kind),
            ("name", options.name),
            ("table", options.table),
            ("encoding", options.encoding),
            ("delimiter", _delimiter(options.delimiter)),
            ("section", options.section),
            ("timezone", _zone(options.timezone)),
            ("dates", _order(options.dates)),
            ("allow_private", options.allow_private or None),
        )
        if value is not None
    }
    if options.name is not None:
        given["publisher"] = None  # the name that was given is the one that readers see
    return tuple(replace(source, **given) for source in sources)  # type: ignore[arg-type]  # each key has its own type


def _named(name: str, settings: Settings, options: Options) -> SourceSettings:
    configured = {source.name: source for source in settings.sources}
    if name in configured:
        return configured[name]
    try:
        parts = urlsplit(name)
    except ValueError:
        raise UsageError(
            f"{without_login(name)!r} is no address", hint="Its host cannot be: check its brackets."
        ) from None
    if parts.scheme.lower() in ("http", "https"):
        kind = guessed_kind(name, None) or SourceKind.FEED
        return SourceSettings(
            name=parts.hostname or without_login(name),
            publisher=parts.hostname or without_login(name),
            kind=kind,
            location=name,
            timezone=settings.site.timezone,
        )
    path = Path(name).absolute()
    guessed = guessed_kind(None, name)
    if not path.exists() and not guessed:
        raise UsageError(
            f"{without_login(name)!r} is no source and no file{_known(name, tuple(configured))}",
            hint="Name a source of digest.toml, a file, or an address that begins with https://.",
        )
    if guessed is None and options.kind is None:
        raise UsageError(
            f"what is {name}? Its ending does not tell",
            hint=f"Say it with --kind: {', '.join(SourceKind)}.",
        )
    return SourceSettings(
        # What a file happens to be called is no publisher.
        name=path.stem,
        publisher=settings.site.name,
        kind=options.kind or guessed or SourceKind.FEED,
        location=str(path),
        timezone=settings.site.timezone,
        max_bytes=_MOST_BYTES,
    )


def _known(name: str, configured: Sequence[str]) -> str:
    if not configured:
        return ""
    suggestion = nearest(name, configured)
    advice = f". Did you mean {suggestion}?" if suggestion else ""
    return f"; digest.toml has {', '.join(configured)}{advice}"


def _delimiter(text: str | None) -> str | None:
    if text is None:
        return None
    delimiter = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}.get(text, text)
    if len(delimiter) != 1 or delimiter in '"\r\n':
        raise UsageError(
            f"--delimiter: found {text!r}, expected one character",
            hint="A tab is `--delimiter tab`.",
        )
    return delimiter


def _order(text: str | None) -> DateOrder | None:
    if text is None:
        return None
    try:
        return DateOrder(text.replace("-", " ").strip().casefold())
    except ValueError:
        raise UsageError(
            f"--dates: found {text!r}, expected day-first or month-first",
            hint="It says what comes first in 03/04/2026.",
        ) from None


def _zone(name: str | None) -> ZoneInfo | None:
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"--source-timezone: there is no time zone {name!r}", hint="Such as Europe/Lisbon."
        ) from None
