"""Markup that is nested deeper than anybody writes it, found before it is parsed.

The HTML parser takes quadratic time for deep nesting, and cannot be interrupted. So this counts no
less than it does: whatever the two might read differently is taken for an element that stays open.
"""

import re
from typing import Final

#: Deeper than this is no article. Newsletters pasted into feeds reach forty or so.
DEEPEST: Final = 100

# What every parser ends at the same place: an end, or a start whose attributes are beyond doubt.
_CLEAR: Final = re.compile(
    r"/(?P<end>[a-z][a-z0-9:-]*)\s*>"
    r"|(?P<start>[a-z][a-z0-9:-]*)"
    r"(?:\s+[^\s\"'<>/=]+(?:=(?:\"[^\"<>]*\"|'[^'<>]*'|[^\s\"'=<>`]+))?)*+\s*/?>",
    re.I,
)
_NAME: Final = re.compile(r"[a-z][a-z0-9:-]*", re.I)
_COMMENT_END: Final = re.compile(r"--!?>")


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_VOID: Final = _names("area base br col embed hr img input link meta param source track wbr")
# Their content is text, so that a comment in it is none.
_RAW: Final = _names("iframe noembed noframes noscript plaintext script style textarea title xmp")
# Whoever leaves these open means them to end with the next one, or with what is around them.
_IMPLIED: Final = _names("dd dt li option p")
_AROUND: Final = _names(
    "address article aside blockquote center div dl fieldset figcaption figure footer header main"
    " nav ol section ul"
)


def is_deep(markup: str, deepest: int = DEEPEST) -> bool:
    """Whether the elements of an HTML text may stand more than `deepest` within each other."""
    return markup.count("<") > deepest and _Elements(markup).reach(deepest)


class _Elements:
    """The elements that are open, in one pass over a text."""

    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._open: list[str] = []
        # Inside SVG and MathML the rules of HTML about ends that are left out do not hold.
        self._foreign = False
        # Whether every tag so far was a clear one. If not, what looks like a comment may be none.
        self._sure = True

    def reach(self, depth: int) -> bool:
        at = self._markup.find("<")
        while at >= 0:
            at = self._markup.find("<", self._past(at + 1))
            if len(self._open) > depth:
                return True
        return False

    def _past(self, at: int) -> int:
        """Where to go on after a tag whose `<` stands before `at`."""
        if clear := _CLEAR.match(self._markup, at):
            if clear["end"]:
                self._close(clear["end"].lower())
            else:
                self._start(clear["start"].lower())
            return clear.end()
        if self._markup.startswith("!--", at) and self._sure and _RAW.isdisjoint(self._open):
            end = _COMMENT_END.search(self._markup, at + 1)
            return end.end() if end else len(self._markup)
        name = _NAME.match(self._markup, at)
        if name or self._markup.startswith(("/", "!", "?"), at):
            self._start_oddly(name[0].lower() if name else "")
        return at

    def _start(self, name: str) -> None:
        self._foreign = self._foreign or name in ("svg", "math")
        ends_the_last = name in _IMPLIED and self._open[-1:] == [name]
        if self._foreign or not (name in _VOID or ends_the_last):
            self._open.append(name)

    def _start_oddly(self, name: str) -> None:
        self._foreign = self._foreign or name in ("svg", "math")
        self._sure = False
        # Nothing closes what has no name: from here on this level stays.
        self._open.append(name if name in _RAW else "")

    def _close(self, name: str) -> None:
        level = len(self._open) - 1
        while level >= 0 and name in _AROUND and self._open[level] in _IMPLIED:
            level -= 1
        if level >= 0 and self._open[level] == name:
            del self._open[level:]
