"""Building an edition: complete and rendered, before anything is written.

Preview shows what is built here, and `store` stores it. There is no other way to an edition, so
what is shown is what will be sent.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from digest.composer.images import content_id, travels_along
from digest.composer.personalization import MOST_ANSWERS, SegmentFieldNeeded, require_few
from digest.composer.render import subject_line
from digest.config import Settings
from digest.errors import ConfigError, Problem
from digest.lib.formatting import counted, in_words
from digest.model.draft import Draft
from digest.model.edition import Edition, RenderedVariant
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot, slot_name
from digest.publishing.editions.renderer import VariantRenderer
from digest.selection import TooFew, select
from digest.storage import editions, subscriptions
from digest.storage.candidates import Surroundings, candidates, surroundings
from digest.storage.database import Database
from digest.storage.edition_store import NewEdition, VariantAssignment, next_number


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionBuild:
    """An edition that can be stored, and its renderer for whoever wants to see more of it.

    `draft` is the editor's draft that the edition was made from, where there is one.
    """

    new: NewEdition
    renderer: VariantRenderer
    draft: Draft | None = None

    @property
    def edition(self) -> Edition:
        """The edition, which is not stored yet."""
        return self.new.edition

    @property
    def readers(self) -> int:
        """How many would get the edition."""
        return sum(a.segment.readers for a in self.new.assignments if a.variant)


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Nothing was sent, and nothing was written. `reason` is a sentence that says what to do."""

    reason: str


NOBODY = Skipped(
    reason="nobody would receive it: no active reader, or none with topics that it covers"
)


def new_nonce() -> str:
    """What the Message-IDs of an edition are made of: 80 random bits, in letters and digits."""
    return secrets.token_hex(10)


def build_edition(
    db: Database,
    settings: Settings,
    newsletter: Newsletter,
    *,
    now: datetime,
    slot: Slot | None = None,
    missed_since: datetime | None = None,
    nonce: Callable[[], str] = new_nonce,
) -> EditionBuild | Skipped:
    """Select and render the edition that `now` would bring. Writes nothing.

    The edition of a `slot` that has passed holds what was published before it, whenever it is
    made. It reaches back for what slots since `missed_since` would have held.
    Raises TemplateError if it does not render: an edition that cannot be shown is never stored.
    """
    cutoff = min(now, slot.at) if slot else now
    newsletter = _reaching_back(newsletter, cutoff, missed_since)
    since = cutoff - newsletter.rules.max_age
    eligible = candidates(db, newsletter.key, since=since, cutoff=cutoff)
    selection = select(eligible.articles, newsletter.rules, cutoff=cutoff)
    if isinstance(selection, TooFew):
        return too_few(db, newsletter, selection, cutoff)
    number = next_number(db, newsletter.key)
    edition = Edition.new(
        newsletter,
        slot.name if slot else slot_of(now, newsletter),
        selection.stories,
        number=number,
        cutoff=cutoff,
        subject=subject_line(newsletter, selection.stories[0], number=number, cutoff=cutoff),
        nonce=nonce(),
    )
    new = NewEdition(
        edition=edition, decisions=selection.decisions, last_article_id=eligible.last_article_id
    )
    return render_edition(db, settings, newsletter, new)


def _reaching_back(
    newsletter: Newsletter, cutoff: datetime, missed_since: datetime | None
) -> Newsletter:
    """The newsletter with rules that let in what an edition at `missed_since` would have held."""
    if missed_since is None or missed_since >= cutoff:
        return newsletter
    max_age = newsletter.rules.max_age + (cutoff - missed_since)
    return replace(newsletter, rules=replace(newsletter.rules, max_age=max_age))


def slot_of(now: datetime, newsletter: Newsletter) -> str:
    """The slot of an edition made at `now`: the newsletter's wall time, seconds only if it has any.

    An edition by hand at the very time of a scheduled one has the same slot, and is the same.
    """
    return slot_name(now.astimezone(newsletter.timezone).replace(tzinfo=None))


def render_edition(
    db: Database, settings: Settings, newsletter: Newsletter, new: NewEdition
) -> EditionBuild:
    """Render an edition for all its readers.

    Raises TemplateError, also where templates decide by what readers have too many answers to.
    """
    renderer = VariantRenderer(settings, newsletter, new.edition)
    count = partial(subscriptions.count_distinct_answers, db, newsletter.key)

    def allow(needed: SegmentFieldNeeded) -> None:
        together = count(renderer.segment_fields)
        # There are never more to one field than to all together; a million readers are read once.
        answers = count([needed.segment_field]) if together > MOST_ANSWERS else together
        require_few(needed, answers=answers, together=together)

    variants = renderer.render_segments(
        partial(subscriptions.segments, db, newsletter.key), allow=allow
    )
    rendered = replace(
        new,
        variants=renderer.variants,
        assignments=tuple(
            VariantAssignment(segment=segment, variant=variant.key if variant else None)
            for segment, variant in variants.items()
        ),
        segment_fields=renderer.segment_fields,
    )
    return EditionBuild(new=rendered, renderer=renderer)


# --- why there is no edition ---


def too_few(db: Database, newsletter: Newsletter, result: TooFew, now: datetime) -> Skipped:
    """Why selection found no edition: too few new stories, or none, and what there is instead."""
    if result.found:
        stories = counted(result.found, "new story", "new stories")
        return Skipped(reason=f"{stories}, and an edition needs {result.needed} (min_items)")
    since = now - newsletter.rules.max_age
    around = surroundings(db, newsletter.key, since=since, cutoff=now)
    return Skipped(reason=_nothing_new(newsletter, around))


def _nothing_new(newsletter: Newsletter, around: Surroundings) -> str:
    def local(instant: datetime) -> str:
        return instant.astimezone(newsletter.timezone).strftime("%Y-%m-%d %H:%M")

    if around.before is not None:
        return (
            f"there is nothing new: the newest article that was not in an edition is of"
            f" {local(around.before)}, and max_age is {in_words(newsletter.rules.max_age)}"
        )
    if around.after is not None:
        return f"there is nothing new: the next article is dated {local(around.after)}"
    if not around.any:
        return "there are no articles yet; `digest ingest` adds some"
    return "there is nothing new"


# --- images that travel along ---


def embedded_images(
    edition: Edition,
    variants: Sequence[RenderedVariant],
    settings: Settings,
    newsletter: Newsletter,
) -> Mapping[str, bytes]:
    """The images that the variants show by Content-ID, by their paths in the site's folder."""
    paths = {s.image_url for s in edition.stories if s.image_url and travels_along(s.image_url)}
    return {
        path: (settings.folder / path).read_bytes()
        for path in sorted(paths)
        if any(f"cid:{content_id(path, newsletter)}" in variant.html for variant in variants)
    }


@contextmanager
def stored_images(db: Database, edition: Edition) -> Iterator[Path]:
    """A folder with the images that were stored with an edition, for as long as the block."""
    with TemporaryDirectory(prefix="digest-") as name:
        folder = Path(name)
        for path, data in editions.images(db, edition.stored_id).items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        yield folder


def require_postal_address(settings: Settings) -> None:
    """Refuse to mail without one: the law asks for it in most countries (CAN-SPAM, 15 USC 7704)."""
    if not settings.site.postal_address.strip():
        raise ConfigError(
            "nothing is sent without the publisher's postal address",
            problems=[Problem(path="site.postal_address", found="nothing", expected="an address")],
        )
