"""The press: renders the variants of one edition, each at most once."""

from digest.composer.language import Locality
from digest.composer.personalization import answers_of, with_question
from digest.composer.render import render
from digest.composer.templates import open_templates
from digest.config import Settings
from digest.errors import ConfigError, QuestionAsked
from digest.model.edition import Edition, RenderedVariant, VariantKey
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Recipient


class VariantRenderer:
    """Renders for readers with the same wishes.

    `questions` are what the templates ask about a reader, as far as that is known; rendering finds
    out about more.
    """

    def __init__(
        self,
        settings: Settings,
        newsletter: Newsletter,
        edition: Edition,
        *,
        questions: tuple[str, ...] = (),
    ) -> None:
        self.questions = questions
        self._settings = settings
        self._newsletter = newsletter
        self._edition = edition
        self._templates = open_templates(settings.folder)
        self._rendered: dict[VariantKey, RenderedVariant | None] = {}

    def key(
        self,
        language: str | None,
        topics: tuple[str, ...],
        answers: tuple[tuple[str, str], ...] = (),
    ) -> VariantKey:
        """What readers with these wishes share, who answer the questions like this.

        A language that we have no words for falls back to the newsletter's own.
        """
        return VariantKey(language=self._language(language), topics=topics, fields=answers)

    def variant(self, key: VariantKey) -> RenderedVariant | None:
        """What these readers get; None if the edition has nothing for their topics.

        Raises TemplateError; QuestionAsked where a template asks what the key does not answer.
        """
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

    def variant_for(
        self, reader: Recipient, language: str | None, topics: tuple[str, ...]
    ) -> RenderedVariant | None:
        """What one reader gets, whatever the templates ask. Raises TemplateError."""
        while True:
            answers = answers_of(self.questions, reader)
            try:
                return self.variant(self.key(language, topics, answers))
            except QuestionAsked as asked:
                self.learn(asked)

    def learn(self, asked: QuestionAsked) -> None:
        """Remember a question. What was rendered without its answer is forgotten."""
        self.questions = with_question(self.questions, asked.question)
        self._rendered.clear()

    @property
    def variants(self) -> tuple[RenderedVariant, ...]:
        """What has been rendered so far."""
        return tuple(variant for variant in self._rendered.values() if variant is not None)

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
