"""From the tables of digest.toml to settings: defaults worked out from other keys, paths absolute.

Values go over by their names; only what is worked out is named here.
"""

from collections.abc import Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from digest.config.cross_checks import guessed_kind
from digest.config.passwords import Password
from digest.config.schema import (
    ApprovalMode,
    File,
    NewsletterTable,
    SectionTable,
    SiteTable,
    SourceTable,
)
from digest.config.settings import WORKED_OUT, Settings, SmtpSettings, SourceKind, SourceSettings
from digest.model.newsletter import Newsletter, Rules, SectionRule, Site
from digest.model.schedule import Schedule, Timing

_T = TypeVar("_T")


def build_settings(
    file: File, folder: Path, smtp: Password, relays: Sequence[Password]
) -> Settings:
    """The settings, with the passwords to use for [smtp] and each of [[relays]]."""
    servers = tuple(map(_server, file.relays, relays))
    return _with_values_of(
        file,
        Settings,
        folder=folder,
        site=_with_values_of(file.site, Site),
        database=folder / file.database.path,
        retention=file.database.retention,
        smtp=servers[0] if servers else _server(file.smtp, smtp),
        relays=servers,
        give_up_after=file.smtp.give_up_after,
        sources=tuple(_source(source, file.site, folder) for source in file.sources),
        newsletters={key: _newsletter(key, n, file.site) for key, n in file.newsletters.items()},
    )


def _with_values_of(table: object, target: type[_T], /, **worked_out: object) -> _T:
    """A `target` of the table's values with the same names, but for those that are given here."""
    names = [field.name for field in fields(cast("Any", target))]
    values = {name: getattr(table, name) for name in names if hasattr(table, name)}
    return target(**(values | worked_out))


def _server(table: SmtpSettings, password: Password) -> SmtpSettings:
    return _with_values_of(
        table, SmtpSettings, password=password.value, password_file=password.file
    )


def _source(table: SourceTable, site: SiteTable, folder: Path) -> SourceSettings:
    kind = table.kind or guessed_kind(table.url, table.path)
    columns = asdict(table.named_columns)
    return _with_values_of(
        table,
        SourceSettings,
        kind=kind or SourceKind.FEED,
        location=table.url or str(table.path),
        timezone=site.timezone if table.timezone is WORKED_OUT else table.timezone,
        columns={name: column for name, column in columns.items() if column is not None},
    )


def _newsletter(key: str, table: NewsletterTable, site: SiteTable) -> Newsletter:
    title = table.title or site.name
    name, address = table.from_ or (table.sender_name, table.sender_address or "")
    return _with_values_of(
        table,
        Newsletter,
        key=key,
        title=title,
        sender_name=name or title,
        sender_address=address,
        language=table.language or site.language,
        timezone=table.timezone or site.timezone,
        schedule=_schedule(table),
        timing=_with_values_of(table, Timing, approval=table.approval is ApprovalMode.REQUIRED),
        rules=_with_values_of(table, Rules, sections=tuple(map(_section, table.sections))),
    )


def _schedule(table: NewsletterTable) -> Schedule | None:
    if table.schedule is None:
        return None
    return replace(table.schedule, days_off=frozenset().union(*table.days_off))


def _section(table: SectionTable) -> SectionRule:
    return _with_values_of(table, SectionRule, match=table.match or (table.title,))
