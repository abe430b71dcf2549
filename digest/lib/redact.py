"""Logins in web addresses, masked wherever an address is shown or stored."""

import re
from typing import Final

_WORD: Final = re.compile(r"\S+")
# `https://social.example/@ana`: the path begins before the sign, so that it ends no login.
_IN_A_PATH: Final = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?/(?:.*/)?")


def without_login(text: str) -> str:
    """The text with user and password of every address masked: `https://***@example.com`.

    A login that is written as it must not be (with a slash, an at sign or a quote in it) is masked
    all the same, even where that hides more than it: what ends it is the last `@` of the word.
    """
    return _WORD.sub(_masked, text) if "@" in text else text


def _masked(word: re.Match[str]) -> str:
    login, at, host = word[0].rpartition("@")
    before, mark, inside = login.partition("://")
    if mark and not _IN_A_PATH.fullmatch(inside):
        return f"{before}://***@{host}"
    if at and not mark and ":" in login:
        opening = login[: len(login) - len(login.lstrip("'\"<(["))]
        return f"{opening}***@{host}"
    return word[0]
