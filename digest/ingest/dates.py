"""The dates that sources write, as instants.

ISO 8601 in its many shapes, RFC 2822 with its zone names, English dates, seconds or milliseconds
since 1970, and plain days. A date that could mean two days (03/04/2014) is refused, not guessed,
unless its source says which number comes first. Dots are written where the day does (3.4.2014).
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Final
from zoneinfo import ZoneInfo

from digest.config.settings import DateOrder
from digest.ingest.rows import Unusable

_NUMBER: Final = re.compile(r"-?\d{9,18}(?:\.\d+)?")
_DAY: Final = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})")
_ISO: Final = re.compile(
    r"(?P<day>\d{4}-?\d{2}-?\d{2})[T ]+(?P<clock>\d{2}:?\d{2}(?::?\d{2})?)(?:[.,]\d+)?"
    r" *(?P<zone>Z|[+-]\d{2}(?::?\d{2})?|[a-z]{2,5})?",
    re.I,
)
_CLOCK: Final = r"(?P<clock>\d{1,2}:\d{2}(?::\d{2})?)(?:\.\d+)? *(?P<half>[ap]m\b)?"
_ZONE: Final = r"(?P<zone>[+-]\d{2}:?\d{2}|[a-z]{1,5})?(?: *\([^()]*\))?"
_MAIL: Final = re.compile(
    r"(?:[a-z]+\.?,? +)?(?P<day>\d{1,2})[ -]+(?P<month>[a-z]{3,9})\.?,?[ -]+(?P<year>\d{4}|\d{2})"
    rf"(?:,? +(?:at +)?{_CLOCK} *{_ZONE})?",
    re.I,
)
_AMERICAN: Final = re.compile(
    r"(?:[a-z]+\.?, +)?(?P<month>[a-z]{3,9})\.? +(?P<day>\d{1,2}),? +(?P<year>\d{4})"
    rf"(?:,? +(?:at +)?{_CLOCK} *{_ZONE})?",
    re.I,
)
_ASCTIME: Final = re.compile(
    r"[a-z]{3} +(?P<month>[a-z]{3}) +(?P<day>\d{1,2}) +(?P<clock>\d{2}:\d{2}:\d{2})(?P<half>)"
    r" +(?:(?P<zone>[a-z]{2,5}) +)?(?P<year>\d{4})",
    re.I,
)
_NUMBERS: Final = re.compile(
    r"(?:[a-z]+\.?,? +)?(?P<first>\d{1,2})(?P<sign>[/.-]) ?(?P<second>\d{1,2})(?P=sign) ?"
    rf"(?P<year>\d{{4}}|\d{{2}})(?:(?:,? +|T){_CLOCK} *{_ZONE})?",
    re.I,
)
_MONTHS: Final = "jan feb mar apr may jun jul aug sep oct nov dec"

_EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Hours from UTC, for names that mean one thing in the news. RFC 2822 defines the American ones.
_NAMES: Final = (
    (0, "Z UT UTC GMT WET"),
    *((-3, "ADT BRT"), (-4, "EDT AST"), (-5, "EST CDT"), (-6, "CST MDT"), (-7, "MST PDT")),
    *((-8, "PST AKDT"), (-9, "AKST"), (-10, "HST"), (-2.5, "NDT"), (-3.5, "NST")),
    *((1, "BST WEST CET MEZ WAT"), (2, "CEST MESZ EET SAST"), (3, "EEST MSK EAT"), (5, "PKT")),
    *((8, "HKT SGT AWST"), (9, "JST KST"), (9.5, "ACST"), (10, "AEST"), (11, "AEDT")),
    *((12, "NZST"), (13, "NZDT")),
)
_ZONES: Final = {name: hours for hours, names in _NAMES for name in names.split()}


def read_date(text: str, zone: ZoneInfo, order: DateOrder | None = None) -> datetime | None:
    """The instant in UTC that `text` names; None for an empty text.

    `zone` is for dates without one; a day without a time begins there at midnight. `order` is for
    dates of numbers. Raises ValueError, in words, for what is no date or lies before 1970 or after
    9999, and Unusable, with what to do, for what could mean two days.
    """
    text = text.strip()
    if not text:
        return None
    try:
        moment = (
            _from_number(text)
            or _from_day(text)
            or _from_iso(text, zone)
            or _from_words(text, zone)
            or _from_numbers(text, zone, order)
        )
        if moment is None:
            raise ValueError(f"{_quoted(text)} is not a date")
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        instant = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"the date {_quoted(text)} is out of range") from None
    if instant < _EARLIEST:
        raise ValueError(f"the date {_quoted(text)} is before 1970")
    return instant


def _from_number(text: str) -> datetime | None:
    """Seconds, milliseconds or microseconds since 1970; 14 digits are a compact date and time."""
    if not _NUMBER.fullmatch(text):
        return None
    digits = len(text.lstrip("-").partition(".")[0])
    if digits == 14:
        return _checked(text, lambda: datetime.strptime(text, "%Y%m%d%H%M%S"))  # noqa: DTZ007
    unit = 1 if digits <= 11 else 1_000 if digits <= 13 else 1_000_000
    return _EARLIEST + timedelta(seconds=float(text) / unit)


def _from_day(text: str) -> datetime | None:
    match = _DAY.fullmatch(text)
    if not match or (not match[2] and len(text) != 8):
        return None
    year, month, day = int(match[1]), int(match[3]), int(match[4])
    return _checked(text, lambda: datetime(year, month, day))  # noqa: DTZ001


def _from_iso(text: str, zone: ZoneInfo) -> datetime | None:
    match = _ISO.fullmatch(text)
    if not match:
        return None
    day, clock = match["day"], match["clock"]
    # "24:00" is the midnight that ends a day.
    ends_day = clock.replace(":", "") in ("2400", "240000")
    clock = "00:00" if ends_day else clock
    moment = _checked(text, lambda: datetime.fromisoformat(f"{day}T{clock}"))
    return _in_zone(moment + timedelta(days=ends_day), match["zone"], zone)


def _from_words(text: str, zone: ZoneInfo) -> datetime | None:
    """RFC 2822, as in `Mon, 10 Mar 2014 17:21:20 EST`, and its looser English relatives."""
    match = _MAIL.fullmatch(text) or _AMERICAN.fullmatch(text) or _ASCTIME.fullmatch(text)
    if not match or (month := _month(match["month"])) is None:
        return None
    return _assembled(text, match, (month, int(match["day"])), zone)


def _from_numbers(text: str, zone: ZoneInfo, order: DateOrder | None) -> datetime | None:
    """Day, month and year as numbers, as in `12/3/2014 17:21`."""
    match = _NUMBERS.fullmatch(text)
    if not match:
        return None
    first, second = int(match["first"]), int(match["second"])
    order = order or _order_of(match)
    if order is None:
        raise Unusable(
            f"the date {_quoted(text)} does not say which number is the month",
            hint='Say which comes first: dates = "day first" (or "month first") at the source in'
            " digest.toml, or --dates day-first. Or write dates as 2014-03-12.",
        )
    month, day = (second, first) if order is DateOrder.DAY_FIRST else (first, second)
    if month > 12 >= day:
        raise Unusable(
            f"the date {_quoted(text)} has no month {month}, and `dates` says {order}",
            hint="Check `dates` at the source in digest.toml, or --dates.",
        )
    return _assembled(text, match, (month, day), zone)


def _order_of(match: re.Match[str]) -> DateOrder | None:
    """What the numbers tell: a month is at most 12, and dots are written after a day."""
    first, second = int(match["first"]), int(match["second"])
    if match["sign"] == ".":
        return DateOrder.DAY_FIRST
    if len(match["year"]) == 2:  # 14-03-10 may begin with its year
        return None
    if first > 12 >= second or first == second:
        return DateOrder.DAY_FIRST
    return DateOrder.MONTH_FIRST if second > 12 >= first else None


def _assembled(
    text: str, match: re.Match[str], month_and_day: tuple[int, int], zone: ZoneInfo
) -> datetime:
    """The moment that `year`, `clock`, `half` and `zone` of a match make with this day."""
    year = int(match["year"])
    if len(match["year"]) == 2:  # RFC 2822 section 4.3
        year += 2000 if year < 50 else 1900
    hour, minute, second = (int(part) for part in f"{match['clock'] or '0:00'}:0".split(":")[:3])
    if match["half"]:
        hour = hour % 12 + (12 if match["half"].lower() == "pm" else 0)
    moment = _checked(
        text,
        lambda: datetime(year, *month_and_day, hour, minute, second),  # noqa: DTZ001
    )
    return _in_zone(moment, match["zone"], zone)


def _month(name: str) -> int | None:
    at = _MONTHS.find(name[:3].lower())
    return at // 4 + 1 if at >= 0 else None


def _in_zone(moment: datetime, written: str | None, zone: ZoneInfo) -> datetime:
    """The moment in the zone that was written: an offset, a name, or nothing.

    A name means what the source's own zone means by it, else what the news does.
    """
    if not written:
        return moment
    if written[0] in "+-":
        # "-0000", a zone that is not known, is UTC all the same (RFC 5322 section 3.3).
        hours, minutes = int(written[1:3]), int(written[-2:] if len(written) > 3 else 0)
        offset = timedelta(hours=hours, minutes=minutes)
        return moment.replace(tzinfo=_fixed(-offset if written[0] == "-" else offset))
    name = written.upper()
    if moment.replace(tzinfo=zone).tzname() == name:
        return moment.replace(tzinfo=zone)
    if name not in _ZONES:
        raise ValueError(f"the time zone {name} of a date is not known; an offset such as +0530 is")
    return moment.replace(tzinfo=_fixed(timedelta(hours=_ZONES[name])))


def _fixed(offset: timedelta) -> timezone:
    if abs(offset) >= timedelta(hours=24):
        raise ValueError(f"an offset from UTC of {offset} is not possible")
    return timezone(offset)


def _checked(text: str, make: Callable[[], datetime]) -> datetime:
    """What `make` makes, or a ValueError that quotes what was found."""
    try:
        return make()
    except ValueError as error:
        raise ValueError(f"{_quoted(text)} is not a date ({error})") from None


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:39] + "…")
