"""From the validated tables to settings: defaults worked out, paths made absolute."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Final

from digest.config import newsletter_schema, schema
from digest.config.cross_checks import guessed_kind
from digest.config.passwords import Password, absolute
from digest.config.settings import (
    DateOrder,
    DkimSettings,
    DomainLimits,
    LogForm,
    Login,
    Quota,
    Security,
    ServiceSettings,
    Settings,
    SmtpSettings,
    SourceKind,
    SourceSettings,
)
from digest.config.validators import is_loopback, server_of, split_sender
from digest.model.newsletter import Newsletter, Rules, SectionRule, Site
from digest.model.schedule import CatchUp, DeliverAt, OnSilence, Schedule, Timing

_PORTS: Final = {Security.NONE: 25, Security.STARTTLS: 587, Security.TLS: 465}


def build_settings(
    file: schema.File, folder: Path, smtp: Password, relays: Sequence[Password]
) -> Settings:
    """The settings, with the passwords to use for [smtp] and each of [[relays]]."""
    site = Site(
        name=file.site.name,
        url=file.site.url,
        language=file.site.language,
        timezone=file.site.timezone,
        postal_address=file.site.postal_address,
    )
    servers = tuple(map(_server, file.relays, relays))
    return Settings(
        folder=folder,
        site=site,
        database=absolute(file.database.path, folder),
        smtp=servers[0] if servers else _server(file.smtp, smtp),
        sources=tuple(_source(source, site, folder) for source in file.sources),
        newsletters={key: _newsletter(key, n, site) for key, n in file.newsletters.items()},
        dkim=_dkim(file.dkim, folder) if file.dkim else None,
        relays=servers,
        domains={name: _domain(limits) for name, limits in file.domains.items()},
        give_up_after=file.smtp.give_up_after,
        service=_service(file.service),
        retention=file.database.retention,
    )


def _service(table: schema.ServiceTable) -> ServiceSettings:
    return ServiceSettings(
        owner=table.owner,
        port=table.port,
        log=LogForm(table.log),
        timeout=table.timeout,
        ingest_every=table.ingest_every,
    )


def _server(table: schema.ServerTable, password: Password) -> SmtpSettings:
    usual = Security.NONE if is_loopback(table.host) else Security.STARTTLS
    security = Security(table.security) if table.security else usual
    relay = table if isinstance(table, schema.RelayTable) else None
    return SmtpSettings(
        host=table.host,
        port=table.port or _PORTS[security],
        security=security,
        username=table.username,
        password=password.value,
        password_file=password.file,
        auth=Login(table.auth) if table.auth else None,
        connections=table.connections,
        timeout=table.timeout,
        timeout_after_data=table.timeout_after_data,
        messages_per_second=table.messages_per_second,
        messages_per_window=_quota(table.messages_per_window),
        messages_per_connection=table.messages_per_connection,
        name=relay.name if relay else "",
        weight=relay.weight if relay else 1,
    )


def _quota(table: schema.QuotaTable | None) -> Quota | None:
    return Quota(messages=table.messages, window=table.window) if table else None


def _domain(table: schema.DomainTable) -> DomainLimits:
    return DomainLimits(
        connections=table.connections, messages_per_second=table.messages_per_second
    )


def _dkim(table: schema.DkimTable, folder: Path) -> DkimSettings:
    second = table.ed25519_key_file
    return DkimSettings(
        selector=table.selector,
        key_file=absolute(table.key_file, folder),
        domain=table.domain,
        ed25519_selector=table.ed25519_selector,
        ed25519_key_file=absolute(second, folder) if second else None,
        nameserver=server_of(table.nameserver) if table.nameserver else None,
    )


def _source(table: schema.SourceTable, site: Site, folder: Path) -> SourceSettings:
    kind = table.kind or guessed_kind(table.url, table.path)
    return SourceSettings(
        name=table.name,
        kind=SourceKind(kind or SourceKind.FEED),
        location=table.url or str(absolute(table.path or "", folder)),
        timezone=table.timezone or site.timezone,
        table=table.table,
        columns=table.columns.model_dump(exclude_none=True),
        section=table.section,
        base_url=table.base_url,
        encoding=table.encoding,
        delimiter=table.delimiter,
        dates=DateOrder(table.dates) if table.dates else None,
        allow_private=table.allow_private,
        timeout=table.timeout,
        max_bytes=table.max_bytes,
    )


def _newsletter(key: str, table: newsletter_schema.NewsletterTable, site: Site) -> Newsletter:
    title = table.title or site.name
    name, address = table.sender_name, table.sender_address or ""
    if table.from_:
        name, address = split_sender(table.from_)
    return Newsletter(
        key=key,
        title=title,
        sender_name=name or title,
        sender_address=address,
        language=table.language or site.language,
        timezone=table.timezone or site.timezone,
        reply_to=table.reply_to,
        bounce_address=table.bounce_address,
        schedule=_schedule(table),
        timing=_timing(table),
        subject=table.subject,
        rules=Rules(
            max_age=table.max_age,
            min_items=table.min_items,
            max_items=table.max_items,
            max_per_section=table.max_per_section,
            max_per_source=table.max_per_source,
            decks_per_section=table.decks_per_section,
            sections=tuple(_section(section) for section in table.sections),
            only_sections=table.only_sections,
        ),
    )


def _schedule(table: newsletter_schema.NewsletterTable) -> Schedule | None:
    if table.schedule is None:
        return None
    return replace(table.schedule, days_off=frozenset(chain.from_iterable(table.days_off)))


def _timing(table: newsletter_schema.NewsletterTable) -> Timing:
    return Timing(
        catch_up=CatchUp(table.catch_up),
        max_lateness=table.max_lateness,
        deliver_at=DeliverAt(table.deliver_at),
        quiet_hours=table.quiet_hours,
        approval=table.approval == "required",
        lead_time=table.lead_time,
        on_silence=OnSilence(table.on_silence),
    )


def _section(table: newsletter_schema.SectionTable) -> SectionRule:
    match = tuple(table.match) if table.match else (table.title,)
    return SectionRule(title=table.title, match=match, max_items=table.max_items)
