"""From a draft to the edition that it makes of the articles as they are now."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from digest.composer.render import subject_line
from digest.lib.text import plain
from digest.model.article import Verdict
from digest.model.draft import Draft, DraftContents, DraftItem
from digest.model.edition import Edition, Placement, Story
from digest.model.newsletter import Newsletter
from digest.model.slot import Slot
from digest.publishing.editions.build import new_nonce
from digest.publishing.editions.due_times import earliest_due_time
from digest.selection.from_draft import arrange
from digest.storage import drafts
from digest.storage.candidates import candidates
from digest.storage.database import Database
from digest.storage.drafts import ArticleStatus
from digest.storage.edition_store import NewEdition, next_number


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedDraft:
    """The edition of a draft, and why some of its articles cannot be in it, by their ids."""

    new: NewEdition
    unusable: Mapping[int, str]

    @property
    def edition(self) -> Edition:
        """The edition, which is not rendered yet."""
        return self.new.edition


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingLeft:
    """No article of a draft can be in an edition any more; `unusable` says why, by their ids."""

    unusable: Mapping[int, str]


def cutoff_of(newsletter: Newsletter, slot: Slot, now: datetime) -> datetime:
    """The cutoff of an edition that is made at `now`: by hand, it takes what has come by then."""
    return min(now, slot.at) if newsletter.schedule else now


def horizon_of(db: Database, newsletter: Newsletter, slot: Slot, now: datetime) -> datetime:
    """The cutoff that the edition of a slot is to have in the end, for who works on it before."""
    return earliest_due_time(db, newsletter, slot) if newsletter.schedule else now


def resolve(
    db: Database,
    newsletter: Newsletter,
    slot: Slot,
    contents: DraftContents,
    *,
    cutoff: datetime,
    nonce: Callable[[], str] = new_nonce,
) -> ResolvedDraft | NothingLeft:
    """The edition of a draft with this cutoff. Writes nothing and renders nothing."""
    since = cutoff - newsletter.rules.max_age
    ids = [item.article_id for item in contents.placed]
    known = drafts.article_statuses(db, newsletter.key, [*ids, *contents.dropped])
    reasons = {id_: unusable_reason(known.get(id_), id_, newsletter, cutoff) for id_ in ids}
    unusable = {id_: reason for id_, reason in reasons.items() if reason}
    eligible = candidates(db, newsletter.key, since=since, cutoff=cutoff)
    still_open = {article.id: article for article in eligible.articles}
    still_open |= {
        id_: known[id_].article
        for id_ in contents.dropped
        if id_ in known and known[id_].verdict in (None, Verdict.WAITING)
    }
    selection = arrange(
        contents,
        {id_: known[id_].article for id_ in ids if id_ not in unusable},
        tuple(still_open.values()),
        newsletter.rules,
        cutoff=cutoff,
    )
    if selection is None:
        return NothingLeft(unusable=unusable)
    number = next_number(db, newsletter.key)
    edition = Edition.new(
        newsletter,
        slot.name,
        selection.stories,
        number=number,
        cutoff=cutoff,
        # The date is the slot's, whenever this is asked: a subject must not change overnight.
        subject=contents.subject
        or subject_line(newsletter, selection.stories[0], number=number, cutoff=slot.at),
        nonce=nonce(),
        intro=contents.intro,
    )
    new = NewEdition(
        edition=edition, decisions=selection.decisions, last_article_id=eligible.last_article_id
    )
    return ResolvedDraft(new=new, unusable=unusable)


def resolve_at_slot(
    db: Database, newsletter: Newsletter, draft: Draft, now: datetime
) -> ResolvedDraft | NothingLeft:
    """The edition of a draft as it is to go out in the end."""
    cutoff = horizon_of(db, newsletter, draft.slot, now)
    return resolve(db, newsletter, draft.slot, draft.contents, cutoff=cutoff)


def unusable_reason(
    status: ArticleStatus | None, article_id: int, newsletter: Newsletter, cutoff: datetime
) -> str:
    """Why an article cannot be in an edition with this cutoff, as a sentence; empty if it can."""
    name = f"article {article_id}"
    if status is None:
        return f"there is no {name}"
    article = status.article
    if status.verdict is Verdict.CHOSEN:
        return f"{name} is in No. {status.edition} already"
    if article.withdrawn_at is not None:
        return f"{name} was withdrawn"
    if status.verdict is Verdict.DROPPED:
        return f"{name} was dropped"
    if status.verdict not in (None, Verdict.WAITING):
        return f"{name} was excluded ({status.verdict}); `digest articles pin` undoes that"
    if article.expires_at is not None and article.expires_at <= cutoff:
        return f"{name} expires before this edition is sent"
    if article.published_at >= cutoff:
        when = article.published_at.astimezone(newsletter.timezone)
        return f"{name} is dated {when:%Y-%m-%d %H:%M}, after the cutoff of this edition"
    return ""


def contents_of(edition: Edition) -> DraftContents:
    """What the rules made, for an editor to change: everything stands where they put it."""
    lead, *others = edition.stories
    sections: dict[str | None, list[DraftItem]] = {}
    related: list[DraftItem] = []
    for story in others:
        if story.placement is Placement.RELATED:
            related.append(_item(story))
            continue
        # Titles that differ in what cannot be seen are one.
        title = plain(story.section or "") or None
        sections.setdefault(title, []).append(_item(story, title))
    in_sections = [
        item
        for items in sections.values()
        for item in sorted(items, key=lambda item: item.placement is not Placement.SECTION)
    ]
    return DraftContents(placed=(_item(lead), *related, *in_sections))


def _item(story: Story, section: str | None = None) -> DraftItem:
    return DraftItem(article_id=story.article_id, placement=story.placement, section=section)
