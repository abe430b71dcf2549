"""The subject: the newsletter's one-line template, as one line of plain text."""

from datetime import datetime
from typing import Final

from digest.composer.language import Locality
from digest.composer.templates import render_line
from digest.errors import TemplateError
from digest.lib.text import plain, shorten
from digest.model.edition import Story
from digest.model.newsletter import Newsletter

#: Characters. Clients show 40 to 90 of them; a longer subject is cut between two words.
MOST: Final = 150


def subject_line(
    newsletter: Newsletter,
    lead: Story,
    *,
    number: int,
    cutoff: datetime,
    language: str | None = None,
) -> str:
    """The subject of an issue: text, not HTML, without control characters, at most MOST long.

    The template knows `newsletter`, `lead`, `number` and `date` (the day of `cutoff` where the
    newsletter is published, in `language` or else the newsletter's own).
    Raises TemplateError if it does not parse, uses another name, or comes out empty.
    """
    locality = Locality.of(language or newsletter.language)
    name = f"newsletters.{newsletter.key}.subject"
    line = render_line(
        newsletter.subject,
        {
            "newsletter": newsletter,
            "lead": lead,
            "number": locality.number(number),
            "date": locality.date(cutoff.astimezone(newsletter.timezone).date()),
        },
        name=name,
    )
    subject = shorten(plain(line), MOST)
    if not subject:
        raise TemplateError(
            f"{name} comes out empty",
            hint="The default is {{ newsletter.title }}: {{ lead.title }}.",
        )
    return subject
