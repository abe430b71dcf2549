"""The variants of one edition, each rendered at most once."""

from collections.abc import Callable, Iterable, Mapping

from digest.composer.language import Locality
from digest.composer.personalization import SegmentFieldNeeded, with_segment_field
from digest.composer.render import render
from digest.composer.templates import open_templates
from digest.config import Settings
from digest.errors import ConfigError
from digest.model.edition import Edition, RenderedVariant, VariantKey
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Recipient, Segment, answers_of


class VariantRenderer:
    """Renders what segments of readers get.

    `segment_fields` are what the templates decide by, as far as it is known; rendering finds more.
    """

    def __init__(
        self,
        settings: Settings,
        newsletter: Newsletter,
        edition: Edition,
        *,
        segment_fields: tuple[str, ...] = (),
    ) -> None:
        self.segment_fields = segment_fields
        self._settings = settings
        self._newsletter = newsletter
        self._edition = edition
        self._templates = open_templates(settings.folder)
        self._rendered: dict[VariantKey, RenderedVariant | None] = {}

    @property
    def variants(self) -> tuple[RenderedVariant, ...]:
        """What has been rendered so far."""
        return tuple(variant for variant in self._rendered.values() if variant is not None)

    def segment_of(
        self, reader: Recipient, language: str | None, topics: tuple[str, ...]
    ) -> Segment:
        """The segment of one reader."""
        answers = answers_of(self.segment_fields, reader.name, reader.fields)
        return Segment(language=language, topics=topics, readers=1, answers=answers)

    def key(self, segment: Segment) -> VariantKey:
        """The variant of a segment, whose answers are to the `segment_fields`.

        A language that we have no words for falls back to the newsletter's own.
        """
        return VariantKey(
            language=self._language(segment.language),
            topics=segment.topics,
            fields=tuple(zip(self.segment_fields, segment.answers, strict=True)),
        )

    def render_segments(
        self,
        divide: Callable[[tuple[str, ...]], Iterable[Segment]],
        *,
        allow: Callable[[SegmentFieldNeeded], None],
    ) -> Mapping[Segment, RenderedVariant | None]:
        """What each segment gets; None if the edition has nothing for its topics.

        `divide` divides the readers by segment fields. Where a template decides by one more, they
        are divided anew, unless `allow` raises. Raises TemplateError.
        """
        while True:
            rendered = self._render_each(divide(self.segment_fields))
            if not isinstance(rendered, SegmentFieldNeeded):
                return rendered
            # All variants of an edition answer the same segment fields.
            self.segment_fields = with_segment_field(self.segment_fields, rendered.segment_field)
            self._rendered.clear()
            allow(rendered)

    def variant_for(
        self, reader: Recipient, language: str | None, topics: tuple[str, ...]
    ) -> RenderedVariant | None:
        """What one reader gets, whatever the templates decide by. Raises TemplateError."""
        rendered = self.render_segments(
            lambda _: [self.segment_of(reader, language, topics)], allow=lambda _: None
        )
        (variant,) = rendered.values()
        return variant

    def _render_each(
        self, segments: Iterable[Segment]
    ) -> Mapping[Segment, RenderedVariant | None] | SegmentFieldNeeded:
        rendered = {}
        for segment in segments:
            key = self.key(segment)
            if key not in self._rendered:
                variant = render(
                    self._edition,
                    key,
                    site=self._settings.site,
                    newsletter=self._newsletter,
                    templates=self._templates,
                    images_folder=self._settings.folder,
                )
                if isinstance(variant, SegmentFieldNeeded):
                    return variant
                self._rendered[key] = variant
            rendered[segment] = self._rendered[key]
        return rendered

    def _language(self, wanted: str | None) -> str:
        own = self._newsletter.language
        # Who reads English reads a British newsletter as it is; who asked for en-NZ gets its dates.
        if wanted is None or wanted == own.partition("-")[0]:
            return own
        plain = wanted.partition("-")[0]
        if plain not in self._templates.languages:
            return own
        try:
            Locality.of(wanted)
        except ConfigError:
            return plain
        # Words that are there and not complete are an error for the owner, not a matter of taste.
        self._templates.language(wanted)
        return wanted
