"""Rendering: an edition as readers with the same wishes see it, once for all of them.

Jinja2, then premailer, then the text part from a template of its own. Nothing here knows a reader.

The size budget: Gmail clips a mail at about 102 KB, and what is clipped nobody reads.

Over the budget, decks go first, the last one first, so that their stories become headlines. Then
stories go from the end, and a link says how many more there are on the web.

CSS into style attributes. The only module that knows premailer, so that it can be replaced.

A `<style>` element is inlined and goes; what cannot be inlined (`@media`, `:hover`) stays. One with
`data-premailer="ignore"` stays as it is, `!important` and all: that is where dark mode lives.

The subject: the newsletter's one-line template, as one line of plain text.
"""

import logging
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Final

from digest.composer.context import TemplateContext, cleaned, of_interest, outline
from digest.composer.images import open_image, travels_along
from digest.composer.language import Language, Locality
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

#: Octets, for the HTML as it is and as its part is encoded. What slots add comes on top.
MAX_HTML_BYTES: Final = 88_000


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


# premailer would repeat CSS as old attributes (`width:auto` as width="auto"). The templates write
# the attributes that Outlook wants themselves.
_NO_ATTRIBUTES = ["align", "valign", "bgcolor", "width", "height"]

# Indentation is a quarter of a template's bytes, and every byte counts towards Gmail's limit.
_INDENTATION = re.compile(r"\n[ \t\r\n]+")
# Inside of a tag only: a headline that looks like a style attribute has its `<` escaped.
_STYLE = re.compile(r"""(<[a-z][^<>]* style=)("[^"]*"|'[^']*')""")


def inline(html: str) -> str:
    """The page with its CSS in style attributes. It must begin with exactly `<!DOCTYPE html>`."""
    # Loaded here: whoever resumes an edition inlines nothing, and need not wait for it.
    from premailer import Premailer  # type: ignore[import-untyped]  # it has no types

    inlined: str = Premailer(
        html,
        keep_style_tags=False,
        strip_important=False,
        allow_network=False,
        disable_validation=True,
        disable_basic_attributes=_NO_ATTRIBUTES,
        align_floating_images=False,
        cssutils_logging_level=logging.CRITICAL,
    ).transform(pretty_print=False)
    shorter = _STYLE.sub(lambda tag: tag[1] + re.sub(r"(?<=[;:,]) ", "", tag[2]), inlined)
    return _INDENTATION.sub("\n", shorter).strip() + "\n"


#: Characters. Clients show 40 to 90 of them; a longer subject is cut between two words.
MAX_SUBJECT_LENGTH: Final = 150


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
    subject = shorten(plain(line), MAX_SUBJECT_LENGTH)
    if not subject:
        raise TemplateError(
            f"{name} comes out empty",
            hint="The default is {{ newsletter.title }}: {{ lead.title }}.",
        )
    return subject


_HTML = "digest.html"
_TEXT = "digest.txt"


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

    def clean(text: str) -> str:
        return markers.without(plain(text))

    stories = tuple(cleaned(story, clean) for story in chosen)
    stories, lost_images = _with_images(stories, newsletter, images_folder)
    press = _TemplateRenderer(
        stories=stories,
        answers=dict(key.fields),
        view=TemplateContext(
            edition=edition, site=site, newsletter=newsletter, language=language, clean=clean
        ),
        language=language,
        templates=templates,
        markers=markers,
    )
    try:
        level = first_level_that_fits(trim_levels(stories), press.fits)
        if level is None:
            raise TemplateError(
                f"{_HTML} takes {len(press.html(trim_levels(stories)).encode()):,} bytes with the "
                f"lead's headline alone; a mail has room for {MAX_HTML_BYTES:,}",
                hint="Shorten the templates or styles that the site overrides.",
            )
        return RenderedVariant(
            key=key,
            subject=_subject(edition, stories[0], key, newsletter),
            html=press.html(level),
            text=press.text(level),
            cut=replace(press.cut(level), images=lost_images),
        )
    except AnswerNeeded as needed:
        return SegmentFieldNeeded(segment_field=needed.segment_field, place=needed.place)


class _TemplateRenderer:
    """One variant's pages at each level of shortness; each is printed at most once."""

    def __init__(
        self,
        *,
        stories: tuple[Story, ...],
        answers: Mapping[str, str],
        view: TemplateContext,
        language: Language,
        templates: Templates,
        markers: PlaceholderMarkers,
    ) -> None:
        self._stories = stories
        self._answers = answers
        self._view = view
        self._greetings = (language.say("greeting_named", name="{name}"), language.say("greeting"))
        self._templates = templates
        self._markers = markers
        self._printed: dict[int, str] = {}

    def fits(self, level: int) -> bool:
        html = self.html(level)
        return len(html.encode()) <= MAX_HTML_BYTES and encoded_size(html) <= MAX_HTML_BYTES

    def html(self, level: int) -> str:
        if level not in self._printed:
            html, printed = self._render(_HTML, level)
            html = inline(html)
            self._check_slots(_HTML, html, printed)
            self._printed[level] = html
        return self._printed[level]

    def text(self, level: int) -> str:
        text, printed = self._render(_TEXT, level)
        self._check_slots(_TEXT, text, printed)
        lines = "\n".join(line.rstrip() for line in text.splitlines())
        return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"

    def cut(self, level: int) -> Cut:
        return trimmed(self._stories, level)[1]

    def _render(self, template: str, level: int) -> tuple[str, int]:
        """What the template makes, and how many slots it printed."""
        stories, cut = trimmed(self._stories, level)
        reader = TemplateReader(
            self._markers, self._greetings, answers=self._answers, clean=self._printable
        )
        page = self._view.context(outline(stories), left_to_the_web=cut.stories, reader=reader)
        return self._templates.render(template, page), reader.printed

    def _printable(self, answer: str) -> str:
        return self._markers.without(plain(answer))

    def _check_slots(self, template: str, rendered: str, printed: int) -> None:
        """A filter over a block can damage a slot where no expression shows it."""
        if self._markers.count(rendered) < printed:
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
