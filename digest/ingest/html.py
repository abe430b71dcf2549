"""Whatever a source calls text, as plain text that is safe to print and pleasant to read.

Sources are not to be trusted with markup: titles come with tags, entities escaped once or twice,
control characters, invisible junk. What comes out holds none of it. Encoded words of RFC 2047
stay the inert text that they are: only a mail header would decode them.

The HTML parser takes quadratic time for deep nesting, and cannot be interrupted. So markup that is
nested deeper than anybody writes it is found before it is parsed (`is_deep`).
"""

import html
import re
import unicodedata
from typing import Final

import nh3

ELLIPSIS: Final = "…"

_BLOCKS: Final = (
    "address article aside blockquote br center dd div dl dt fieldset figcaption figure footer form"
    " h1 h2 h3 h4 h5 h6 header hr li main nav ol option p pre section table tbody td tfoot th thead"
    " title tr ul"
)
_INLINES: Final = (
    "a abbr acronym audio b bdi bdo big body button canvas cite code data del dfn em embed font"
    " head html i iframe img input ins kbd label link map mark meta noscript object picture q s"
    " samp script select small source span strike strong style sub sup svg textarea time track tt"
    " u var video wbr"
)


def _names(words: str) -> str:
    return "|".join(sorted(words.split(), key=len, reverse=True))


# "Is <Python> dead?" is a headline, not markup: only what HTML knows counts as a tag.
_NOT_A_TAG: Final = re.compile(rf"<(?!/?(?:{_names(_BLOCKS + ' ' + _INLINES)})\b[^<>]*>|!--)", re.I)
_TAG: Final = re.compile(r"<[^<>]*>")
_BLOCK: Final = re.compile(rf"(</?(?:{_names(_BLOCKS)})\b[^<>]*>)", re.I)
_ENTITY: Final = re.compile(r"&(?:[a-z][a-z0-9]{1,30}|#[0-9]{1,7}|#x[0-9a-f]{1,6});", re.I)

# No more combining marks in a row than this (UAX #15): sorting them takes quadratic time.
_MOST_MARKS: Final = 30
_HEAP: Final = re.compile(rf"[^\w\s\x00-\x7f]{{{_MOST_MARKS + 1},}}")

# A backslash before punctuation is how some exports escape it: `MarketWatch \(blog\)`.
_BACKSLASHED: Final = re.compile(r"""\\([!"#$%&'()*+,\-./:;<=>?@\[\]_`{|}~])""")

_MISREAD: Final = re.compile("[\x80-\x9f]")
_SPACE: Final = re.compile(r"\s+")
_CUT_OFF: Final = re.compile(r"\s*\.{3,}$|\s+…$")
_UNWANTED: Final = re.compile(
    "["
    "\x00-\x08\x0e-\x1b\x7f-\x9f"  # control characters, but for those that are white space
    "\xad"  # soft hyphen
    "\u200b\u2060-\u2064\ufeff"  # zero-width spaces and joiners without a meaning
    "\u202a-\u202e\u2066-\u206f"  # embeddings, overrides and isolates: text that lies
    "\ufff9-\ufffb\ufffe\uffff"  # annotations and noncharacters
    "]"
)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def plain(text: str) -> str:
    """One line of plain text: no markup, no entities, no control characters, NFC.

    Joiners and directional marks that scripts and emoji need stay.
    """
    if "<" in text or "&" in text:
        text = _without_markup(text)
        if _ENTITY.search(text):
            # Escaped twice: what looks like markup only now was markup before.
            text = _without_markup(html.unescape(text))
    return tidy(text)


def tidy(text: str) -> str:
    """One line of text that is plain already: no control characters, single spaces, NFC."""
    if not (text.isascii() and text.isprintable()):
        text = _MISREAD.sub(_as_windows_1252, text)
        text = _UNWANTED.sub("", _SPACE.sub(" ", text))
        text = _HEAP.sub(_lower_heap, _SURROGATE.sub("\ufffd", text))
        text = unicodedata.normalize("NFC", text)
    if "\\" in text:
        text = _BACKSLASHED.sub(r"\1", text)
    text = _SPACE.sub(" ", text).strip()
    return _CUT_OFF.sub(ELLIPSIS, text) if text.endswith(("...", ELLIPSIS)) else text


def shorten(text: str, most: int) -> str:
    """At most `most` characters, cut at the end of a word and marked with an ellipsis."""
    if len(text) <= most:
        return text
    cut = text[: most - len(ELLIPSIS)]
    if not text[len(cut)].isspace():
        # A text without spaces (Chinese, or one endless word) is cut where it is full.
        cut = cut.rsplit(" ", 1)[0] if " " in cut[most // 2 :] else cut
    return cut.rstrip(" ,;:.–—-") + ELLIPSIS


def sanitised(markup: str, most: int, base: str | None = None) -> str:
    """Harmless HTML of at most `most` characters: no scripts, no styles, absolute web links."""
    if not markup:
        return ""
    # What is cut off here hardly shows: markup and scripts are rarely three quarters of a text.
    clean = _sanitise(_SURROGATE.sub("\ufffd", _shallow(markup[: 4 * most])), base)
    if len(clean) <= most:
        return clean
    # Cleaning closes what the cut left open, which takes some room.
    shorter = _sanitise(clean[: most - most // 20].rpartition("<")[0], base)
    return shorter if len(shorter) <= most else ""


def _sanitise(markup: str, base: str | None) -> str:
    clean = nh3.clean(
        markup,
        url_schemes={"http", "https", "mailto"},
        url_relative=("rewrite_with_base", base) if base else "deny",
    )
    return clean.strip()


def _without_markup(text: str) -> str:
    if "<" in text:
        text = text.replace("<![CDATA[", "").replace("]]>", "") if "<![CDATA[" in text else text
        text = _BLOCK.sub(r" \1 ", _NOT_A_TAG.sub("&lt;", text))
    text = _shallow(text)
    # The cleaner reads entities and writes &amp; &lt; &gt; &nbsp; which are undone here.
    return html.unescape(nh3.clean(text, tags=set(), link_rel=None))


def _shallow(markup: str) -> str:
    """The markup, or where it is nested beyond reason its text alone."""
    return _TAG.sub(" ", markup).replace("<", "&lt;") if is_deep(markup) else markup


def _lower_heap(heap: re.Match[str]) -> str:
    marks = any(unicodedata.combining(character) for character in heap[0])
    return heap[0][:_MOST_MARKS] if marks else heap[0]


def _as_windows_1252(character: re.Match[str]) -> str:
    # Nobody writes C1 controls; Windows-1252 quotation marks read as Latin-1 look like them.
    return character[0].encode("latin-1").decode("cp1252", "ignore")


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


def _tag_names(words: str) -> frozenset[str]:
    return frozenset(words.split())


_VOID: Final = _tag_names("area base br col embed hr img input link meta param source track wbr")
# Their content is text, so that a comment in it is none.
_RAW: Final = _tag_names(
    "iframe noembed noframes noscript plaintext script style textarea title xmp"
)
# Whoever leaves these open means them to end with the next one, or with what is around them.
_IMPLIED: Final = _tag_names("dd dt li option p")
_AROUND: Final = _tag_names(
    "address article aside blockquote center div dl fieldset figcaption figure footer header main"
    " nav ol section ul"
)


def is_deep(markup: str, deepest: int = DEEPEST) -> bool:
    """Whether the elements of an HTML text may stand more than `deepest` within each other."""
    return markup.count("<") > deepest and _Elements(markup).reach(deepest)


class _Elements:
    """The elements that are open, in one pass over a text.

    It counts no fewer than the HTML parser does: whatever the two might read differently is taken
    for an element that stays open.
    """

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
