"""Rendering: an edition as readers of the same language and topics see it, once for all of them.

Jinja2, then premailer; the text part comes from a template of its own. Nothing here knows a reader.

The size has a budget, because Gmail clips a mail at about 102 KB and nobody reads what is clipped.
Over it decks go first, the last one first, so that their stories become headlines. Then stories go
from the end, and a link says how many more there are on the web.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from digest.composer.context import TemplateContext, cleaned, of_interest, outline
from digest.composer.images import open_image, travels_along
from digest.composer.inlining import inline
from digest.composer.language import Locality
from digest.composer.mime import encoded_size
from digest.composer.personalization import (
    AnswerNeeded,
    PlaceholderMarkers,
    SegmentFieldNeeded,
    TemplateReader,
)
from digest.composer.templates import Templates, render_line
from digest.errors import TemplateError
from digest.lib.text import plain, shorten
from digest.model.edition import Cut, Edition, Placement, RenderedVariant, Story, VariantKey
from digest.model.newsletter import Newsletter, Site

#: Octets, for the HTML as it is and as its part is encoded. What placeholders add comes on top.
MAX_HTML_BYTES: Final = 88_000

#: Characters. Clients show 40 to 90 of them; a longer subject is cut between two words.
MAX_SUBJECT_LENGTH: Final = 150

_HTML: Final = "digest.html"
_TEXT: Final = "digest.txt"


def render(
    edition: Edition,
    key: VariantKey,
    *,
    site: Site,
    newsletter: Newsletter,
    templates: Templates,
    images_folder: Path | None = None,
) -> RenderedVariant | SegmentFieldNeeded | None:
    """The variant of an edition, or None where its readers' topics leave nothing: no mail then.

    SegmentFieldNeeded where a template decides by something about the reader that `key.fields`
    does not tell. `images_folder` is where images that travel along are: one that cannot is left
    out and named in the variant's `cut`. Without a folder they are all taken on trust.
    Raises TemplateError for a template that is wrong, ConfigError for a language without words.
    """
    chosen = of_interest(edition.stories, key.topics)
    if not chosen:
        return None
    language = templates.language(key.language)
    markers = PlaceholderMarkers.of(edition.nonce)
    stories = tuple(cleaned(story, markers.clean) for story in chosen)
    stories, lost_images = _with_images(stories, newsletter, images_folder)
    renderer = _TemplateRenderer(
        stories=stories,
        answers=dict(key.fields),
        context=TemplateContext(
            edition=edition, site=site, newsletter=newsletter, language=language, markers=markers
        ),
        templates=templates,
    )
    try:
        level = first_level_that_fits(trim_levels(stories), renderer.fits)
        if level is None:
            raise TemplateError(
                f"{_HTML} takes {len(renderer.html(trim_levels(stories)).encode()):,} bytes with"
                f" the lead's headline alone; a mail has room for {MAX_HTML_BYTES:,}",
                hint="Shorten the templates or styles that the site overrides.",
            )
        return RenderedVariant(
            key=key,
            subject=_subject(edition, stories[0], key, newsletter),
            html=renderer.html(level),
            text=renderer.text(level),
            cut=replace(trimmed(stories, level)[1], images=lost_images),
        )
    except AnswerNeeded as needed:
        return SegmentFieldNeeded(segment_field=needed.segment_field, place=needed.place)


@dataclass(frozen=True, slots=True, kw_only=True)
class _TemplateRenderer:
    """One variant's pages at each level of shortness; each is printed at most once."""

    stories: tuple[Story, ...]
    answers: Mapping[str, str]
    context: TemplateContext
    templates: Templates
    pages: dict[int, str] = field(default_factory=dict)

    def fits(self, level: int) -> bool:
        html = self.html(level)
        return len(html.encode()) <= MAX_HTML_BYTES and encoded_size(html) <= MAX_HTML_BYTES

    def html(self, level: int) -> str:
        if level not in self.pages:
            html, printed = self._render(_HTML, level)
            html = inline(html)
            self._check_placeholders(_HTML, html, printed)
            self.pages[level] = html
        return self.pages[level]

    def text(self, level: int) -> str:
        text, printed = self._render(_TEXT, level)
        self._check_placeholders(_TEXT, text, printed)
        lines = "\n".join(line.rstrip() for line in text.splitlines())
        return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"

    def _render(self, template: str, level: int) -> tuple[str, int]:
        """What the template makes, and how many placeholders it printed."""
        context = self.context
        say = context.language.say
        stories, cut = trimmed(self.stories, level)
        reader = TemplateReader(
            context.markers,
            (say("greeting_named", name="{name}"), say("greeting")),
            answers=self.answers,
            has_pages=context.site.pages_url is not None,
        )
        names = context.names(outline(stories), left_to_the_web=cut.stories, reader=reader)
        return self.templates.render(template, names), reader.printed

    def _check_placeholders(self, template: str, rendered: str, printed: int) -> None:
        """A filter over a block can damage a placeholder where no expression shows it."""
        if self.context.markers.count(rendered) < printed:
            raise TemplateError(
                f"{template}: a value of the reader was changed after it was printed",
                hint="Keep {{ reader.… }} out of {% filter %}, {% set %} and macros with filters.",
            )


def _with_images(
    stories: Sequence[Story], newsletter: Newsletter, folder: Path | None
) -> tuple[tuple[Story, ...], tuple[str, ...]]:
    """The stories without the images that cannot travel along, and the paths of those.

    Only the lead shows its image.
    """
    lead, *others = stories
    path = lead.image_url
    if path is None or folder is None or not travels_along(path):
        return tuple(stories), ()
    try:
        open_image(path, newsletter, folder)
    except TemplateError:
        return (replace(lead, image_url=None), *others), (path,)
    return tuple(stories), ()


def _subject(edition: Edition, lead: Story, key: VariantKey, newsletter: Newsletter) -> str:
    """The edition's own subject, unless another story leads or another language is read."""
    first = min(edition.stories, key=lambda story: story.position)
    if lead.article_id == first.article_id and key.language == newsletter.language:
        return plain(edition.subject)
    return subject_line(
        newsletter, lead, number=edition.number, cutoff=edition.cutoff, language=key.language
    )


def subject_line(
    newsletter: Newsletter,
    lead: Story,
    *,
    number: int,
    cutoff: datetime,
    language: str | None = None,
) -> str:
    """The subject of an issue: text, not HTML, at most MAX_SUBJECT_LENGTH, no control characters.

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
    subject = shorten(plain(line), MAX_SUBJECT_LENGTH)
    if not subject:
        raise TemplateError(
            f"{name} comes out empty",
            hint="The default is {{ newsletter.title }}: {{ lead.title }}.",
        )
    return subject


def trim_levels(stories: Sequence[Story]) -> int:
    """How many times these stories can be shortened; the lead's headline always stays."""
    return len(_with_decks(stories)) + len(stories) - 1


def trimmed(stories: Sequence[Story], level: int) -> tuple[tuple[Story, ...], Cut]:
    """The stories with `level` things gone, and what that was."""
    decks = _with_decks(stories)
    gone = decks[max(0, len(decks) - level) :] if level else []
    away = max(0, level - len(decks))
    kept = [_headline_only(s) if s.position in gone else s for s in stories]
    return tuple(kept[: len(kept) - away]), Cut(decks=len(gone), stories=away)


def first_level_that_fits(most: int, fits: Callable[[int], bool]) -> int | None:
    """The lowest level from 0 to `most` that fits; None if not even the last one does."""
    if fits(0):
        return 0
    if not fits(most):
        return None
    return bisect_left(range(1, most), x=True, key=fits) + 1


def _with_decks(stories: Sequence[Story]) -> list[int]:
    """The positions of the stories whose decks show."""
    showing = (Placement.LEAD, Placement.SECTION)
    return [s.position for s in stories if s.deck and s.placement in showing]


def _headline_only(story: Story) -> Story:
    placement = Placement.LEAD if story.placement is Placement.LEAD else Placement.HEADLINE
    return replace(story, deck="", placement=placement)
