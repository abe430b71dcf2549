"""How articles and their fates are shown: as tables, and as JSON."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from digest.cli.output import plain_table, print_table

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from digest.model.article import Article
    from digest.storage.articles import Fate


def show_list(found: "Sequence[Article]", zone: "ZoneInfo") -> None:
    """A table of articles; times are in `zone`."""
    from rich.markup import escape

    table = plain_table(">ID", "Published", "Section", "Source", "Title")
    for article in found:
        table.add_row(
            str(article.id),
            f"{article.published_at.astimezone(zone):%Y-%m-%d %H:%M}",
            escape(article.section or "·"),
            escape(article.source),
            escape(article.title) + (" (withdrawn)" if article.withdrawn_at else ""),
        )
    print_table(table)


def show_one(article: "Article", fates: "Sequence[Fate]") -> None:
    """Everything about one article, and what became of it."""
    from rich.markup import escape

    table = plain_table("", "")
    table.show_header = False
    for name, value in as_json(article).items():
        if value not in (None, "", []):
            shown = ", ".join(value) if isinstance(value, list) else str(value)
            table.add_row(name.replace("_", " "), escape(shown))
    for fate in fates:
        table.add_row(f"for {fate.newsletter}", escape(_fate_in_words(fate)))
    print_table(table)


def _fate_in_words(fate: "Fate") -> str:
    pinned = "pinned" if fate.pinned else ""
    if fate.decision is None:
        return pinned
    verdict = f"{fate.decision.verdict}: {fate.decision.reason}"
    if fate.edition is not None:
        verdict = f"in No. {fate.edition} ({fate.decision.reason})"
    return f"{pinned}; {verdict}" if pinned else verdict


def as_json(article: "Article") -> dict[str, Any]:
    """An article as `--json` shows it."""
    from digest.model.instant import to_text

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
