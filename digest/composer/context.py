"""The template context: an edition's page in the words of its language, ready to be printed.

First the outline: which stories a reader sees, which one leads, and what stands in which group.
Then the names that the templates know.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import count, groupby
from typing import Any, Final

from digest.composer.images import content_id, travels_along
from digest.composer.language import Language
from digest.composer.links import web_link
from digest.composer.personalization import PlaceholderMarkers, TemplateReader
from digest.lib.text import plain, shorten
from digest.model.edition import Edition, Placement, Story
from digest.model.newsletter import Newsletter, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryGroup:
    """A titled section, or with title None the headline list: stories with decks, then links."""

    title: str | None
    stories: tuple[Story, ...]
    headlines: tuple[Story, ...]

    @property
    def count(self) -> int:
        """How many stories the group has."""
        return len(self.stories) + len(self.headlines)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOutline:
    """A page from top to bottom."""

    lead: Story
    related: tuple[Story, ...]
    groups: tuple[StoryGroup, ...]


def of_interest(stories: Sequence[Story], topics: Sequence[str]) -> tuple[Story, ...]:
    """The stories in reading order that readers of these topics see; no topics means all.

    Topics are compared without case. A story without a topic is for those who chose none. Where
    the lead is not among them, the first that remains leads; other reports of the same event stay
    with it.
    """
    chosen = sorted(stories, key=lambda story: story.position)
    if topics:
        wanted = {topic.casefold() for topic in topics}
        chosen = [s for s in chosen if s.topic is not None and s.topic.casefold() in wanted]
    if chosen and chosen[0].placement is not Placement.LEAD:
        chosen[0] = replace(chosen[0], placement=Placement.LEAD, section=None)
    return tuple(chosen)


def outline(stories: Sequence[Story]) -> PageOutline:
    """The page of these stories, which are in reading order, the lead first."""
    lead, *others = stories
    main = [story for story in others if story.placement is not Placement.RELATED]
    return PageOutline(
        lead=lead,
        related=tuple(story for story in others if story.placement is Placement.RELATED),
        groups=tuple(_group(title, list(run)) for title, run in groupby(main, lambda s: s.section)),
    )


def _group(title: str | None, stories: list[Story]) -> StoryGroup:
    return StoryGroup(
        title=title,
        stories=tuple(s for s in stories if s.placement is Placement.SECTION),
        headlines=tuple(s for s in stories if s.placement is not Placement.SECTION),
    )


#: Characters of a deck. A summary that is an essay would bury the next headline.
LEAD_DECK: Final = 400
DECK: Final = 260


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A story as it is printed. `number` is that of its link in the text part, from 1.

    `image` is an address for `src`, None without one. `when` is the time of publishing, or the day.
    `source` is empty where it is the site itself: readers know whose newsletter they read.
    """

    number: int
    title: str
    url: str
    deck: str
    source: str
    author: str | None
    when: str
    image: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A titled group as it is printed."""

    title: str
    count: str
    stories: tuple[Item, ...]
    headlines: tuple[Item, ...]


def cleaned(story: Story, clean: Callable[[str], str]) -> Story:
    """The story with every text printable, its deck short enough, its links in one spelling."""
    image = story.image_url
    if image and not travels_along(image):
        image = web_link(image)
    return replace(
        story,
        title=clean(story.title),
        url=web_link(story.url),
        source=clean(story.source),
        section=clean(story.section) if story.section is not None else None,
        deck=clean(story.deck),
        author=clean(story.author or "") or None,
        image_url=image or None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateContext:
    """Everything of one variant that does not depend on how much of it fits."""

    edition: Edition
    site: Site
    newsletter: Newsletter
    language: Language
    markers: PlaceholderMarkers

    @property
    def _today(self) -> date:
        return self.edition.cutoff.astimezone(self.newsletter.timezone).date()

    def names(
        self, page: PageOutline, *, left_to_the_web: int, reader: TemplateReader
    ) -> dict[str, Any]:
        """The names that the templates of a digest know."""
        newsletter, say, locality = self.newsletter, self.language.say, self.language.locality
        numbers = count(1)
        lead = self._item(next(numbers), page.lead, deck=LEAD_DECK)
        related = self._items(numbers, page.related)
        # A page of nothing but stories without sections needs no heading over them, no contents.
        plain_page = all(group.title is None and group.stories for group in page.groups)
        last = "" if plain_page else say("also_in_the_news")
        sections = tuple(self._section(numbers, group, untitled=last) for group in page.groups)
        day = locality.date(self._today)
        return {
            "newsletter": {
                "key": newsletter.key,
                "title": plain(newsletter.title),
                "reply_address": plain(newsletter.reply_address),
            },
            "site": {
                "name": plain(self.site.name),
                "url": web_link(self.site.url),
                "postal_address": _one_line(self.site.postal_address),
            },
            "edition": {"number": self.edition.number, "date": day},
            "language": {"code": locality.code, "direction": locality.direction},
            "intro": tuple(filter(None, map(self.markers.clean, self.edition.intro))),
            "preheader": self._preheader(page, left_to_the_web, day),
            "lead": lead,
            "related": related,
            "sections": sections,
            "contents": tuple(section for section in sections if section.title),
            "left_to_the_web": left_to_the_web,
            "reader": reader,
            "say": say,
        }

    def _preheader(self, page: PageOutline, left_to_the_web: int, day: str) -> str:
        """Its own words: whatever is a headline stands in the page, once."""
        more = len(page.related) + sum(group.count for group in page.groups) + left_to_the_web
        titles = [group.title for group in page.groups if group.title]
        say = self.language.say
        if not more:
            return say("preheader_alone", newsletter=plain(self.newsletter.title), date=day)
        if not titles:
            return say("preheader_plain", count=more)
        return say("preheader", count=more, sections=self.language.locality.listing(titles))

    def _section(self, numbers: Iterator[int], group: StoryGroup, *, untitled: str) -> Section:
        return Section(
            title=untitled if group.title is None else group.title,
            count=self.language.locality.number(group.count),
            stories=self._items(numbers, group.stories),
            headlines=self._items(numbers, group.headlines),
        )

    def _items(self, numbers: Iterator[int], stories: tuple[Story, ...]) -> tuple[Item, ...]:
        # The stories come first: zip must not draw a number that it does not use.
        return tuple(self._item(number, s) for s, number in zip(stories, numbers, strict=False))

    def _item(self, number: int, story: Story, *, deck: int = DECK) -> Item:
        own_name = plain(self.site.name).casefold()
        return Item(
            number=number,
            title=story.title,
            url=story.url,
            deck=shorten(story.deck, deck),
            source=story.source if story.source.casefold() != own_name else "",
            author=story.author,
            when=self.language.locality.moment(
                story.published_at, today=self._today, zone=self.newsletter.timezone
            ),
            image=self._image(story.image_url),
        )

    def _image(self, image_url: str | None) -> str | None:
        if image_url is None or not travels_along(image_url):
            return image_url
        return f"cid:{content_id(image_url, self.newsletter)}"


def _one_line(address: str) -> str:
    return " · ".join(line for line in map(plain, address.splitlines()) if line)
