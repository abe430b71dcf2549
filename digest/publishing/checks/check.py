"""Check: whether everything that a newsletter needs works, before readers find out.

Nothing is stored and nothing is mailed. A configuration that is wrong never comes here: loading it
reports every problem.
"""

import asyncio
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from digest.config import Security, Settings, SmtpSettings, SourceSettings
from digest.config.load import Loaded
from digest.config.validators import is_loopback
from digest.errors import ConfigError, DigestError, TemplateError
from digest.lib.formatting import counted
from digest.lib.redact import without_login
from digest.publishing.checks.findings import Finding, failed, fine, problem, warning
from digest.storage.database import Access, open_database
from digest.storage.integrity import DatabaseHealth, health

#: How many sources are asked at once.
_AT_ONCE: Final = 4


def check(loaded: Loaded, *, now: datetime) -> Iterator[Finding]:
    """The findings, one by one as they are made: first what is here, then what is far away."""
    settings = loaded.settings
    yield from _configuration(loaded)
    yield from _database(settings)
    yield from _templates(settings, now)
    yield from asyncio.run(_far_away(settings))


def _configuration(loaded: Loaded) -> Iterator[Finding]:
    settings, area = loaded.settings, "configuration"
    keys = ", ".join(settings.newsletters)
    yield fine(area, f"{settings.folder}: {keys}; {counted(len(settings.sources), 'source')}")
    for path, variable in loaded.overrides.items():
        if path != "smtp.password":
            yield fine(area, f"{path}: from {variable}")
    yield from _password(loaded)
    if not settings.site.postal_address:
        yield problem(
            area,
            "site.postal_address is empty: `digest send` will refuse",
            "Write the publisher's postal address there; the law asks for it in bulk mail.",
        )
    if urlsplit(settings.site.url).scheme != "https":
        yield warning(
            area,
            f"site.url is {settings.site.url}, which is not https",
            "Browsers warn readers of pages without encryption: serve the site by https.",
        )


def _password(loaded: Loaded) -> Iterator[Finding]:
    area, password = "configuration", loaded.password
    if password.value is not None:
        message = f"smtp.password: set, from {password.origin}"
        advice = "Give it as DIGEST_SMTP__PASSWORD, or in a password_file with mode 600."
        if password.warning:
            yield warning(area, f"{message}; {password.warning}", advice)
        else:
            yield fine(area, message)
    elif loaded.settings.smtp.username:
        yield problem(
            area,
            "smtp.username is set, and there is no password",
            "Give it as DIGEST_SMTP__PASSWORD, or in a file that smtp.password_file names.",
        )


def _database(settings: Settings) -> Iterator[Finding]:
    area, path = "database", settings.database
    if not path.exists():
        if not path.parent.is_dir():
            yield problem(area, f"there is no folder {path.parent}", "Create the folder.")
        else:
            yield warning(area, f"{path} is not there yet", "`digest ingest` creates it.")
        return
    if not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        yield problem(
            area,
            f"{path} cannot be written",
            "Change the rights on the file and its folder: SQLite writes beside it, too.",
        )
    try:
        with open_database(path, Access.READ) as db:
            state = health(db)
    except DigestError as error:
        yield failed(area, error)
        return
    yield from _health(settings, state)


def _health(settings: Settings, state: DatabaseHealth) -> Iterator[Finding]:
    area = "database"
    for fault in state.faults:
        yield problem(area, f"{settings.database} is damaged: {fault}", "Restore a backup.")
    readers = sum(state.readers.values())
    if not state.faults:
        yield fine(
            area,
            f"{settings.database} is intact (schema {state.schema}):"
            f" {counted(state.articles, 'article')}, {counted(state.subscribers, 'subscriber')},"
            f" {counted(readers, 'active subscription')}, {counted(state.editions, 'edition')}",
        )
    for key in sorted(state.readers.keys() - settings.newsletters.keys()):
        yield warning(
            area,
            f"{counted(state.readers[key], 'reader')} of newsletter {key}, which digest.toml does"
            " not have",
            f"If it was renamed, give it its old key back: [newsletters.{key}].",
        )


def _templates(settings: Settings, now: datetime) -> Iterator[Finding]:
    # premailer and what it needs take half a second to import.
    from digest.publishing.checks.trial_render import trial_render

    own = settings.templates
    own_files = sorted(str(file.relative_to(own)) for file in own.rglob("*") if file.is_file())
    note = f", with your own {', '.join(own_files)}" if own_files else ""
    for newsletter in settings.newsletters.values():
        try:
            trial = trial_render(settings, newsletter, now=now)
        except (TemplateError, ConfigError) as error:
            yield failed("templates", error)
            continue
        message = f"{newsletter.key} renders in {newsletter.language}"
        yield fine("templates", f"{message} ({trial.size / 1000:.0f} kB for five stories){note}")
        if trial.has_empty_links:
            yield warning(
                "templates",
                f"{newsletter.key} has a link without an address: reader.preferences_url and"
                " reader.view_url are empty",
                "Put it into {% if reader.view_url %} … {% endif %}.",
            )


async def _far_away(settings: Settings) -> list[Finding]:
    from digest.publishing.checks.email_auth import check_authentication

    free = asyncio.Semaphore(_AT_ONCE)
    groups = await asyncio.gather(
        *(_source(source, settings.site.url, free) for source in settings.sources),
        _smtp(settings.smtp),
        check_authentication(settings),
    )
    if not settings.sources:
        advice = "Add [[sources]], or name files and URLs after `digest ingest`."
        groups.insert(0, [warning("sources", "no sources are configured", advice)])
    return [finding for group in groups for finding in group]


async def _source(
    source: SourceSettings, site_url: str, free: asyncio.Semaphore
) -> Sequence[Finding]:
    from digest.ingest.sources import Validators, read

    area = f"source {source.name}"
    try:
        async with free:
            reading = await read(source, Validators(), site_url=site_url)
    except DigestError as error:
        return [problem(area, without_login(error.message), error.hint)]
    message = f"{counted(len(reading.articles), 'article')} in {without_login(source.location)}"
    if reading.rejected:
        first = reading.rejected[0]
        message += f"; {counted(len(reading.rejected), 'row')} rejected"
        message += f", the first at {first.place}: {first.reason}"
        return [warning(area, message, "`digest ingest` lists them all.")]
    if not reading.articles:
        return [warning(area, message, "Look at it in a browser, or at `columns` and `table`.")]
    return [fine(area, message)]


async def _smtp(smtp: SmtpSettings) -> Sequence[Finding]:
    from digest.sender.connection import probe

    try:
        report = await probe(smtp)
    except DigestError as error:
        return [failed("smtp", error)]
    login = f"logged in as {smtp.username}" if report.logged_in else "without login"
    message = f"{report.relay} answers, {report.tls or 'not encrypted'}, {login}"
    if smtp.security is Security.NONE and not is_loopback(smtp.host):
        advice = 'Set smtp.security to "starttls" or "tls", if the server offers one.'
        return [warning("smtp", message, advice)]
    return [fine("smtp", message)]
