"""How articles and their fates are shown: as tables, and as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from digest.cli.tables import print_table
from digest.lib.formatting import local

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from digest.model.article import Article
    from digest.storage.articles import Fate


def show_list(found: "Sequence[Article]", zone: "ZoneInfo") -> None:
    """A table of articles; times are in `zone`."""
    rows = (
        (
            str(article.id),
            f"{article.published_at.astimezone(zone):%Y-%m-%d %H:%M}",
            article.section or "·",
            article.source,
            article.title + (" (withdrawn)" if article.withdrawn_at else ""),
        )
        for article in found
    )
    headers = (">ID", "Published", "Section", "Source", "Title")
    print_table(headers, rows, fold=("Section", "Source", "Title"))


def show_one(article: "Article", fates: "Sequence[Fate]", zone: "ZoneInfo") -> None:
    """Everything about one article, and what became of it; times are in `zone`."""
    rows = []
    for name, value in as_json(article).items():
        if value in (None, "", []):
            continue
        if name.endswith("_at"):
            shown = local(getattr(article, name), zone)
        else:
            shown = ", ".join(value) if isinstance(value, list) else str(value)
        rows.append((name.replace("_", " "), shown))
    rows += [(f"for {fate.newsletter}", _fate_in_words(fate)) for fate in fates]
    print_table(("", "value"), rows, fold=("value",), show_headers=False)


def _fate_in_words(fate: "Fate") -> str:
    pinned = "pinned" if fate.pinned else ""
    if fate.decision is None:
        return pinned
    verdict, reason = str(fate.decision.verdict), fate.decision.reason
    if fate.edition is not None:
        told = f"in No. {fate.edition} ({reason})"
    else:
        # A reason may begin with the verdict: "dropped by the editor".
        told = reason if reason.startswith(verdict) else f"{verdict}: {reason}"
    return f"{pinned}; {told}" if pinned else told


def as_json(article: "Article") -> dict[str, Any]:
    """An article as `--json` shows it."""
    from digest.lib.timestamps import to_text

    def instant(at: datetime | None) -> str | None:
        return to_text(at) if at else None

    return {
        "id": article.id,
        "title": article.title,
        "url": article.url,
        "summary": article.summary,
        "section": article.section,
        "source": article.source,
        "author": article.author,
        "image_url": article.image_url,
        "tags": list(article.tags),
        "priority": article.priority,
        "published_at": instant(article.published_at),
        "first_seen_at": instant(article.first_seen_at),
        "edited_at": instant(article.edited_at),
        "expires_at": instant(article.expires_at),
        "withdrawn_at": instant(article.withdrawn_at),
    }


def fate_as_json(fate: "Fate") -> dict[str, Any]:
    """What became of an article for one newsletter, as `--json` shows it."""
    decision = fate.decision
    return {
        "newsletter": fate.newsletter,
        "pinned": fate.pinned,
        "verdict": decision.verdict if decision else None,
        "reason": decision.reason if decision else None,
        "edition": fate.edition,
    }
