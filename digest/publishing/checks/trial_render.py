"""A trial: a made-up edition goes through the composer, to see that every template works."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from digest.composer.message import prepare_message
from digest.composer.render import subject_line
from digest.composer.templates import open_templates
from digest.config import Settings
from digest.model.edition import Edition, Placement, Story
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Recipient
from digest.publishing.editions.build import slot_of
from digest.publishing.editions.renderer import VariantRenderer

#: The token in the links of a message that is for nobody.
_NOBODY: Final = "trial"

_PLACEMENTS: Final = (
    (Placement.LEAD, None),
    (Placement.RELATED, None),
    (Placement.SECTION, "Town"),
    (Placement.HEADLINE, "Town"),
    (Placement.HEADLINE, None),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a made-up message came to: its size in bytes, and whether a link leads nowhere."""

    size: int
    has_empty_links: bool


def trial_render(settings: Settings, newsletter: Newsletter, *, now: datetime) -> Trial:
    """A made-up message, made as real ones are.

    Raises TemplateError or ConfigError where a template, the subject or the words are wrong.
    """
    open_templates(settings.folder).check()
    edition = _edition(settings, newsletter, now)
    reader = Recipient(email="reader@example.com", token=_NOBODY)
    variant = VariantRenderer(settings, newsletter, edition).variant_for(
        reader, newsletter.language, ()
    )
    if variant is None:  # only for readers with topics
        return Trial(size=0, has_empty_links=False)
    message = prepare_message(
        variant,
        edition,
        site=settings.site,
        newsletter=newsletter,
        images_folder=settings.folder,
    )
    return Trial(
        size=len(message.fill(reader, delivery_id=0, date=now)),
        has_empty_links='href=""' in variant.html,
    )


def _edition(settings: Settings, newsletter: Newsletter, now: datetime) -> Edition:
    stories = tuple(
        Story(
            article_id=position,
            position=position,
            placement=placement,
            title=f"A made-up story, number {position}",
            url=f"{settings.site.url}/{position}",
            source="trial",
            published_at=now - timedelta(hours=position),
            section=section,
            topic="Town",
            deck="What happened, in one sentence.",
            image_url="https://www.example.com/1.jpg" if position == 1 else None,
            author="A. Writer",
        )
        for position, (placement, section) in enumerate(_PLACEMENTS, start=1)
    )
    return Edition.new(
        newsletter,
        slot_of(now, newsletter),
        stories,
        number=1,
        cutoff=now,
        subject=subject_line(newsletter, stories[0], number=1, cutoff=now),
        nonce="0" * 20,
        intro=("What the editor says.",),
    )
