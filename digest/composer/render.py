"""Rendering: an edition as readers with the same wishes see it, once for all of them.

Jinja2, then premailer, then the text part from a template of its own. Nothing here knows a reader.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from digest.composer import budget
from digest.composer.context import View, cleaned
from digest.composer.images import open_image, travels_along
from digest.composer.inlining import inline
from digest.composer.language import Language
from digest.composer.outline import of_interest, outline
from digest.composer.personalization import Reader
from digest.composer.quoted import encoded_size
from digest.composer.slots import Markers
from digest.composer.subject import subject_line
from digest.composer.templates import Templates
from digest.errors import TemplateError
from digest.lib.text import plain
from digest.model.edition import Cut, Edition, RenderedVariant, Story, VariantKey
from digest.model.newsletter import Newsletter, Site

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
) -> RenderedVariant | None:
    """The variant of an edition, or None where its readers' topics leave nothing: no mail then.

    `images_folder` is where images that travel along are: one that cannot is left out and named in
    the variant's `cut`. Without a folder they are all taken on trust.
    Raises TemplateError for a template that is wrong, QuestionAsked where it decides by something
    about the reader that `key.fields` does not tell, ConfigError for a language without words.
    """
    chosen = of_interest(edition.stories, key.topics)
    if not chosen:
        return None
    language = templates.language(key.language)
    markers = Markers.of(edition.nonce)

    def clean(text: str) -> str:
        return markers.without(plain(text))

    stories = tuple(cleaned(story, clean) for story in chosen)
    stories, lost_images = _with_images(stories, newsletter, images_folder)
    press = _Press(
        stories=stories,
        answers=dict(key.fields),
        view=View(
            edition=edition, site=site, newsletter=newsletter, language=language, clean=clean
        ),
        language=language,
        templates=templates,
        markers=markers,
    )
    level = budget.least_that_fits(budget.levels(stories), press.fits)
    if level is None:
        raise TemplateError(
            f"{_HTML} takes {len(press.html(budget.levels(stories)).encode()):,} bytes with the "
            f"lead's headline alone; a mail has room for {budget.MOST:,}",
            hint="Shorten the templates or styles that the site overrides.",
        )
    return RenderedVariant(
        key=key,
        subject=_subject(edition, stories[0], key, newsletter),
        html=press.html(level),
        text=press.text(level),
        cut=replace(press.cut(level), images=lost_images),
    )


class _Press:
    """One variant's pages at each level of shortness; each is printed at most once."""

    def __init__(
        self,
        *,
        stories: tuple[Story, ...],
        answers: Mapping[str, str],
        view: View,
        language: Language,
        templates: Templates,
        markers: Markers,
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
        return len(html.encode()) <= budget.MOST and encoded_size(html) <= budget.MOST

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
        return budget.shortened(self._stories, level)[1]

    def _render(self, template: str, level: int) -> tuple[str, int]:
        """What the template makes, and how many slots it printed."""
        stories, cut = budget.shortened(self._stories, level)
        reader = Reader(
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
