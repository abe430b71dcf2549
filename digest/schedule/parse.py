"""What somebody may have meant by a line that is no schedule."""

import re
from typing import Final

from digest.config.not_a_schedule import NotASchedule
from digest.config.refusal import nearest
from digest.schedule.phrases import WORDS, parse_phrase

_SHORTHANDS: Final = {
    "@daily": "daily at 00:00",
    "@midnight": "daily at 00:00",
    "@weekly": "sundays at 00:00",
    "@monthly": "monthly on the 1st at 00:00",
    "@hourly": "0 * * * *",
    "hourly": "0 * * * *",
    "every hour": "0 * * * *",
}
#: What lines ask for that there is no word for, and what comes nearest.
_OTHER_WISHES: Final = (
    (r" at .+ at ", 'a list, with one "at" in each of its lines'),
    (r"hour|minute", 'times one by one, or cron such as "0 8-18/2 * * *"'),
    (
        r"every other|every (2|two|second)|fortnight|bi-?weekly",
        'days of each week or month: "monthly on the 1st friday and the 3rd friday at 16:00" is'
        " nearly every second week",
    ),
    (r"year|annual|quarter", 'cron for a few months of the year, such as "0 9 1 jan,jul *"'),
    (r"[0-9] (?!and$)[a-z]{3,}(/[a-z_/]+)?$", "no zone here: that is in the key `timezone`"),
    (r"^weekly at", 'the day of the week, as in "fridays at 16:30"'),
    (r"^monthly at", 'the day of the month, as in "monthly on the 1st at 09:00"'),
)
_CLOCK: Final = re.compile(
    r"([0-9]{1,2})(?:[:.h]?([0-9]{2}))?(?::00)? ?(am|pm|a\.m\.|p\.m\.|h|o'clock)?"
)
_NAMED_TIMES: Final = {"noon": "12:00", "midday": "12:00", "midnight": "00:00"}


def meant(refusal: NotASchedule) -> NotASchedule:
    """The same refusal with a suggestion, or with a better word about a wish that is known."""
    line = " ".join(refusal.found.lower().split())
    if line in _SHORTHANDS:
        return NotASchedule(refusal.found, refusal.expected, _SHORTHANDS[line])
    mended = _mended(line)
    if mended:
        return NotASchedule(refusal.found, refusal.expected, mended)
    for wish, words in _OTHER_WISHES:
        if re.search(wish, line):
            return NotASchedule(refusal.found, words)
    return refusal


def _mended(line: str) -> str | None:
    """The line with its words and times set right, where that makes a schedule of it."""
    days, at, times = line.rpartition(" at ")
    if not at:
        found = re.search(r" (?=[0-9]{1,2}(?:[:.h]|$|am|pm)|noon|midday|midnight)", line)
        if not found:
            return None
        days, times = line[: found.start()], line[found.end() :]
    known = list(WORDS)
    words = re.sub(r"(?<![0-9])[a-z]{3,}", lambda word: _word(word[0], known), days)
    moments = " and ".join(map(_clock, re.split(r"\s*,\s*(?:and\s+)?|\s+and\s+", times)))
    mended = f"{words} at {moments}"
    try:
        parse_phrase(mended)
    except NotASchedule:
        return None
    return mended


def _word(word: str, known: list[str]) -> str:
    return word if word in known else nearest(word, known) or word


def _clock(text: str) -> str:
    """A time of day as `07:30`, where it is one in another spelling; else as it is."""
    found = _CLOCK.fullmatch(text)
    if not found:
        return _NAMED_TIMES.get(text, text)
    hour, half = int(found[1]), (found[3] or "")[:1]
    if half in ("a", "p"):
        if not 1 <= hour <= 11:  # 12 am and 12 pm mean noon or midnight to different people
            return text
        hour += 12 if half == "p" else 0
    return f"{hour:02d}:{found[2] or '00'}"
