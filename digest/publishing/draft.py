"""A draft: the next edition, complete and rendered, before anything is written.

Preview shows it; `prepare` stores it. There is no other way to an edition, so what is shown is
what will be sent.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from digest.composer.form import MessageForm, build_form
from digest.composer.rendering import render
from digest.composer.subject import subject_line
from digest.composer.templates import open_templates
from digest.config import Settings
from digest.errors import ConfigError
from digest.model.decision import Decision
from digest.model.edition import Edition
from digest.model.newsletter import Newsletter
from digest.model.variant import RenderedVariant, VariantKey
from digest.selection import TooFew, select
from digest.storage import editions, subscriptions
from digest.storage.candidates import candidates
from digest.storage.connection import Database
from digest.storage.editions import Audience


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An edition with everything that storing it takes.

    `press` has rendered what the readers get. `readers` counts who would get the edition.
    """

    edition: Edition
    decisions: tuple[Decision, ...]
    press: "Press"
    audience: tuple[Audience, ...]
    readers: int
    last_article_id: int


class Press:
    """Renders the variants of one edition, each at most once."""

    def __init__(self, settings: Settings, newsletter: Newsletter, edition: Edition) -> None:
        self._settings = settings
        self._newsletter = newsletter
        self._edition = edition
        self._templates = open_templates(settings.folder)
        self._rendered: dict[VariantKey, RenderedVariant | None] = {}

    def variant(self, language: str | None, topics: tuple[str, ...]) -> RenderedVariant | None:
        """What readers with these wishes get; None if the edition has nothing for their topics.

        A language that we have no words for falls back to the newsletter's own. Raises
        TemplateError.
        """
        key = VariantKey(language=self._language(language), topics=topics)
        if key not in self._rendered:
            self._rendered[key] = render(
                self._edition,
                key,
                site=self._settings.site,
                newsletter=self._newsletter,
                templates=self._templates,
                images_folder=self._settings.folder,
            )
        return self._rendered[key]

    def _language(self, wanted: str | None) -> str:
        own = self._newsletter.language
        # Who reads English reads a British newsletter as it is; who asked for en-NZ gets its dates.
        if wanted is None or wanted == own.partition("-")[0]:
            return own
        for code in (wanted, wanted.partition("-")[0]):
            try:
                self._templates.language(code)
            except ConfigError:
                continue
            return code
        return own

    @property
    def variants(self) -> tuple[RenderedVariant, ...]:
        """What has been rendered so far."""
        return tuple(variant for variant in self._rendered.values() if variant is not None)


def new_nonce() -> str:
    """What the Message-IDs of an edition are made of: 80 random bits, in letters and digits."""
    return secrets.token_hex(10)


def draft(
    db: Database,
    settings: Settings,
    newsletter: Newsletter,
    *,
    now: datetime,
    nonce: Callable[[], str] = new_nonce,
) -> Draft | TooFew:
    """Select and render the edition that `now` would bring. Writes nothing.

    Raises TemplateError if it does not render: an edition that cannot be shown is never stored.
    """
    since = now - newsletter.rules.max_age
    found = candidates(db, newsletter.key, since=since, cutoff=now)
    selection = select(found.articles, newsletter.rules, cutoff=now)
    if isinstance(selection, TooFew):
        return selection
    previous = editions.last(db, newsletter.key)
    number = previous.number + 1 if previous else 1
    edition = Edition(
        newsletter=newsletter.key,
        slot=slot_of(now, newsletter),
        number=number,
        since=since,
        cutoff=now,
        nonce=nonce(),
        subject=subject_line(newsletter, selection.stories[0], number=number, cutoff=now),
        stories=selection.stories,
    )
    press = Press(settings, newsletter, edition)
    audience, readers = _audience(db, newsletter, press)
    return Draft(
        edition=edition,
        decisions=selection.decisions,
        press=press,
        audience=audience,
        readers=readers,
        last_article_id=found.last_article_id,
    )


def form_of(
    variant: RenderedVariant, edition: Edition, settings: Settings, newsletter: Newsletter
) -> MessageForm:
    """The message form of a variant; images that travel along are read from the site's folder."""
    return build_form(
        variant,
        edition,
        site=settings.site,
        newsletter=newsletter,
        images_folder=settings.folder,
    )


def slot_of(now: datetime, newsletter: Newsletter) -> str:
    """The slot of an edition made at `now`: the newsletter's wall time, seconds only if it has any.

    An edition by hand at the very time of a scheduled one has the same slot, and is the same.
    """
    local = now.astimezone(newsletter.timezone).replace(tzinfo=None)
    return local.isoformat(timespec="seconds" if local.second else "minutes")


def _audience(
    db: Database, newsletter: Newsletter, press: Press
) -> tuple[tuple[Audience, ...], int]:
    audience = []
    readers = 0
    for wishes in subscriptions.active_variants(db, newsletter.key):
        variant = press.variant(wishes.language, wishes.topics)
        readers += wishes.readers if variant else 0
        audience.append(
            Audience(
                language=wishes.language,
                topics=wishes.topics,
                variant=variant.key if variant else None,
            )
        )
    return tuple(audience), readers
