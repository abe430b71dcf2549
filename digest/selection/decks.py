"""A deck: the few sentences under a headline."""

import re

#: A deck is about three lines of a 600 px column.
LONGEST = 280

_SENTENCE_END = re.compile(r"[.!?…]['\"”’»)]*(?=\s)|[؟。！？]")


def deck_of(summary: str, headline: str) -> str:
    """The summary, cut after a sentence or else after a word, in at most `LONGEST` characters.

    Empty where the summary only repeats the headline, as many feeds do.
    """
    summary = " ".join(summary.split())
    if summary.rstrip(" .…").casefold() == headline.rstrip(" .…").casefold():
        return ""
    if len(summary) <= LONGEST:
        return summary
    head = summary[:LONGEST]
    ends = [match.end() for match in _SENTENCE_END.finditer(head)]
    if ends and ends[-1] >= LONGEST // 2:
        return head[: ends[-1]]
    # One character less than the limit, for the ellipsis; a single endless word is cut hard.
    words = head[: LONGEST - 1].rsplit(" ", 1)[0]
    return words.rstrip(" ,;:–—-") + "…"
