"""What an approval covers: a text and a hash of what readers will see, and how another differs.

The time of publication is left out: many feeds touch it with every visit, and an editor who is
asked about that again and again stops looking.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from digest.composer.images import open_image, travels_along
from digest.config import Settings
from digest.errors import TemplateError
from digest.model.draft import Approval
from digest.model.edition import Edition, Story
from digest.model.newsletter import Newsletter

#: What of a story is sealed, and the sentence for when it changes.
_CORRECTED: Final = {
    "title": "the title of article {id} was corrected",
    "deck": "the summary of article {id} was corrected",
    "url": "the link of article {id} changed",
    "image": "the image of article {id} changed",
    "author": "the author of article {id} changed",
    "source": "the source of article {id} changed",
    "section": "the section of article {id} changed",
    "topic": "article {id} belongs to another section",
    "placement": "article {id} moved to another place",
}


def approval_of(edition: Edition, settings: Settings, newsletter: Newsletter) -> Approval:
    """What readers of this edition will see, as one text in one possible form, and its SHA-256."""
    content = json.dumps(
        {
            "subject": edition.subject,
            "intro": edition.intro,
            "stories": [_seen(story, settings, newsletter) for story in edition.stories],
        },
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    seal = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()
    return Approval(content=content, seal=seal)


def _seen(story: Story, settings: Settings, newsletter: Newsletter) -> dict[str, object]:
    fields = {name: getattr(story, name) for name in _CORRECTED if name != "image"}
    image = _picture(story.image_url, settings, newsletter)
    return {"id": story.article_id, "image": image, **fields}


def _picture(image_url: str | None, settings: Settings, newsletter: Newsletter) -> str | None:
    """The address; for an image that travels along, the bytes count and not only the name."""
    if image_url is None or not travels_along(image_url):
        return image_url
    try:
        data = open_image(image_url, newsletter, settings.folder).data
    except TemplateError:
        return f"{image_url} cannot be shown"
    return f"{image_url} {hashlib.sha256(data).hexdigest()}"


def changes(approved: Approval, now: Approval, unusable: Mapping[int, str]) -> tuple[str, ...]:
    """What differs between two contents, a sentence each; `unusable` says why one is not in."""
    before, after = json.loads(approved.content), json.loads(now.content)
    sentences = tuple(_story_changes(before["stories"], after["stories"], unusable))
    if sentences or approved.seal == now.seal:
        return sentences
    if before["intro"] != after["intro"]:
        return ("the intro changed",)
    return (f"the subject is now “{after['subject']}”",)


def _story_changes(
    before: list[dict[str, Any]], after: list[dict[str, Any]], unusable: Mapping[int, str]
) -> Iterator[str]:
    by_id = {story["id"]: story for story in after}
    missing = [story["id"] for story in before if story["id"] not in by_id]
    yield from (unusable.get(id_, f"article {id_} is no longer in it") for id_ in missing)
    yield from (
        f"article {id_} was added" for id_ in by_id if id_ not in {story["id"] for story in before}
    )
    for story in before:
        now = by_id.get(story["id"])
        if now is None:
            continue
        if missing and before[0]["id"] in missing and now is after[0]:
            # It leads because the lead is gone; that was said.
            now = now | {name: story[name] for name in ("placement", "section")}
        for name, sentence in _CORRECTED.items():
            if story[name] != now[name]:
                yield sentence.format(id=story["id"])
