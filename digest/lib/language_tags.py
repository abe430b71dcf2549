"""Language tags (RFC 5646), and the languages that there are words of our own for."""

import re
from pathlib import Path
from typing import Final

#: Languages whose words travel with digest, in `templates/email/words/`. A test compares the two.
SHIPPED: Final = ("ar", "de", "en", "fr")

# RFC 5646: language, then optionally script, region and variants. Extensions have no use here.
_TAG: Final = re.compile(
    r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?((?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*)",
    re.IGNORECASE,
)


def canonical(tag: str) -> str | None:
    """The language tag in its usual case (`pt-br` is `pt-BR`), or None if it is not one.

    `pt_BR`, as POSIX writes it, is understood.
    """
    match = _TAG.fullmatch(tag.replace("_", "-"))
    if not match:
        return None
    language, script, region, variants = match.groups()
    parts = (language.lower(), script and script.title(), region and region.upper())
    return "-".join(filter(None, parts)) + variants.lower()


def has_words(tag: str, folder: Path) -> bool:
    """Whether there are words for this language: `de-AT` is served by those for `de`.

    The site brings words of its own in `templates/email/words/LANGUAGE.toml` beside digest.toml.
    """
    return any(name in known(folder) for name in (tag, tag.split("-", 1)[0]))


def known(folder: Path) -> list[str]:
    """The languages that have words: the shipped ones, and those in the site's folder."""
    own = (folder / "templates" / "email" / "words").glob("*.toml")
    return sorted({*SHIPPED, *(file.stem for file in own)})
