"""The types of values in digest.toml: how each is checked, and what it is called in plain words.

The words serve twice: after "expected" in a problem, and as the type on the reference page. An
enum needs no entry here: its members are its words.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from digest.config import validators
from digest.config.validators import CONTROL, LONGEST_LINE, InvalidValue, line
from digest.lib import language_tags
from digest.lib.durations import parse_duration
from digest.lib.text import nearest
from digest.model.schedule import QuietHours, Schedule
from digest.schedule.parse import parse_schedule
from digest.schedule.phrases import ScheduleError


@dataclass(frozen=True, slots=True)
class Key:
    """How digest.toml spells a key, where its field has another name.

    `place` names the field that it stands in for, whose place in the list of keys it takes.
    """

    name: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class FieldType:
    """The type of a value: `words` follow "expected", `check` returns the value that is used.

    `check` raises ValueError, or InvalidValue where it has more to say than the words; with
    `in_folder` it gets the folder of digest.toml, too. `accepts` is what TOML may hold there, where
    that is neither the type itself nor a text. A `secret` is never shown.
    """

    words: str
    check: Callable[..., Any] | None = None
    accepts: tuple[type, ...] = ()
    in_folder: bool = False
    secret: bool = False


def _host(text: str) -> str:
    host = line(text).removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if re.search(r"[\s/@:\[\]]", host):
            raise InvalidValue from None
    return host


def _optional_line(text: str) -> str | None:
    return line(text) if text.strip() else None


def _password(text: str) -> str | None:
    if CONTROL.search(text):
        raise InvalidValue
    return text or None


def _lines(text: str) -> str:
    if CONTROL.search(re.sub(r"[\t\n\r]", " ", text)):
        raise InvalidValue
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _path(text: str, folder: Path) -> Path:
    """The path as seen from the folder of digest.toml; `~` is the home folder."""
    if not text.strip() or CONTROL.search(text):
        raise InvalidValue
    try:
        return folder / Path(text).expanduser()
    except RuntimeError:  # there is no such home
        return folder / text


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise InvalidValue(suggestion=_nearest_zone(name)) from None


def _nearest_zone(text: str) -> str | None:
    from zoneinfo import available_timezones

    zones = sorted(available_timezones())
    wanted = text.strip().replace(" ", "_").casefold()
    for zone in zones:
        if wanted in (zone.casefold(), zone.rsplit("/", 1)[-1].casefold()):
            return zone
    if "/" not in wanted:
        # CEST is not EST, and UTC+2 not UTC: a short name that is only similar is another time.
        zones = [zone for zone in zones if "/" in zone]
    return nearest(wanted, zones)


def _language(text: str, folder: Path) -> str:
    tag = language_tags.canonical(text)
    known = language_tags.known(folder)
    if tag is None:
        raise InvalidValue(
            f"a language tag such as en or pt-BR, with words (there are {', '.join(known)})",
            nearest(text, known),
        )
    if not language_tags.has_words(tag, folder):
        raise InvalidValue(
            f"a language that has words: {', '.join(known)}, or one of your own in"
            f" templates/email/words/{tag}.toml"
        )
    return tag


def _encoding(name: str) -> str:
    try:
        # Codecs that make no text, such as base64, are refused here, too.
        b"text".decode(name, "ignore")
    except LookupError:
        raise InvalidValue from None
    return name


def _delimiter(text: str) -> str:
    if len(text) != 1 or text in '"\r\n' or text.isalnum():
        raise InvalidValue
    return text


def one_of(kind: type[StrEnum]) -> FieldType:
    """The type of a key whose value is a member of an enum."""
    *others, last = kind
    return FieldType(f"{', '.join(others)} or {last}", kind)


def _table_key(text: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", text) or len(text) > 64:
        raise InvalidValue
    return text


def not_empty(value: list[Any] | dict[str, Any]) -> None:
    """Refuse an empty list, and a table without tables."""
    if not value:
        raise InvalidValue


def _from(least: float, most: float) -> Callable[[float], float]:
    def check(number: float) -> float:
        if not least <= number <= most:
            raise InvalidValue
        return number

    return check


def _whole(least: int, most: int) -> FieldType:
    return FieldType(f"a whole number from {least} to {most}", _from(least, most))


def _rate(number: float) -> float:
    if not 0 < number <= 100_000:
        raise InvalidValue
    return float(number)


def _at_least(least: timedelta, words: str) -> FieldType:
    """The type of a span of time that has to be so long at least."""

    def check(value: object) -> timedelta:
        span = parse_duration(value)
        if span < least:
            raise InvalidValue
        return span

    return FieldType(words, check, accepts=(str, int, float))


def _timeout(value: object) -> float:
    return _from(0.1, 3600)(parse_duration(value).total_seconds())


def _schedule(value: str | list[object]) -> Schedule:
    lines = [_schedule_line(text) for text in (value if isinstance(value, list) else [value])]
    try:
        return parse_schedule(lines)
    except ScheduleError as error:
        raise InvalidValue(
            error.expected, error.suggestion, error.found if lines else None
        ) from None


def _schedule_line(text: object) -> str:
    if not isinstance(text, str):
        raise InvalidValue
    try:
        return line(text)
    except InvalidValue:
        raise InvalidValue(found=text) from None


_DAY: Final = timedelta(days=1)
_DATE: Final = re.compile(r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2})\s*")
_HOURS: Final = re.compile(r"\s*([0-9]{1,2}):([0-9]{2})\s*[-–]\s*([0-9]{1,2}):([0-9]{2})\s*")
#: A longer holiday is rather a typing error in its year.
_LONGEST_HOLIDAY: Final = timedelta(days=366)


def _days_off(value: str | date) -> frozenset[date]:
    """The day, or every day of a holiday such as `2026-12-24..2027-01-02`."""
    if type(value) is date:  # a datetime is one, too, and says more than a day
        return frozenset({value})
    if not isinstance(value, str):
        raise InvalidValue
    first, dots, last = value.partition("..")
    begin, end = _date(first), _date(last if dots else first)
    if not timedelta(0) <= end - begin <= _LONGEST_HOLIDAY:
        raise InvalidValue("a holiday that ends after it begins, and within a year")
    return frozenset(begin + n * _DAY for n in range((end - begin).days + 1))


def _date(text: str) -> date:
    match = _DATE.fullmatch(text)
    return date.fromisoformat(match[1] if match else "")


def _quiet_hours(text: str) -> QuietHours:
    match = _HOURS.fullmatch(text)
    if not match:
        raise InvalidValue
    hour, minute, end_hour, end_minute = map(int, match.groups())
    try:
        begin, end = time(hour, minute), time(end_hour, end_minute)
    except ValueError:
        until_midnight = (end_hour, end_minute) == (24, 0) and (hour, minute) != (0, 0)
        midnight = f"{hour:02d}:{minute:02d}-00:00" if until_midnight else None
        raise InvalidValue("times from 00:00 to 23:59", midnight) from None
    if begin == end:
        raise InvalidValue("hours that end at another time than they begin")
    return QuietHours(begin=begin, end=end)


Switch = Annotated[bool, FieldType("true or false")]

# Numbers.
Port = Annotated[int, _whole(1, 65_535)]
Connections = Annotated[int, _whole(1, 50)]
Count = Annotated[int, _whole(1, 1000)]
CountOrNone = Annotated[int, _whole(0, 1000)]
Weight = Annotated[int, _whole(1, 1000)]
Messages = Annotated[int, FieldType("a whole number from 1 up", _from(1, 10_000_000))]
Bytes = Annotated[
    int, FieldType("a whole number of bytes, from 1000 up", _from(1000, 10_000_000_000))
]
PerSecond = Annotated[
    float, FieldType("a number above 0 such as 20, or 0.5 for one in two seconds", _rate)
]

# Texts.
Line = Annotated[str, FieldType(f"a text of one line, at most {LONGEST_LINE} characters", line)]
Account = Annotated[str, FieldType("a text of one line", _optional_line)]
Password = Annotated[str, FieldType("a text of one line", _password, secret=True)]
Lines = Annotated[str, FieldType("a text, of several lines if you like", _lines)]
Encoding = Annotated[
    str, FieldType("the name of a text encoding such as utf-8 or cp1252", _encoding)
]
Delimiter = Annotated[str, FieldType('one character such as ";" or "\\t" (a tab)', _delimiter)]
Language = Annotated[
    str, FieldType("a language tag such as en or de-AT", _language, in_folder=True)
]
NewsletterKey = Annotated[
    str,
    FieldType("a key of small letters, digits, - and _, as in [newsletters.daily]", _table_key),
]

# Files, hosts and addresses.
FilePath = Annotated[
    Path,
    FieldType(
        "the path of a file, relative to the folder of digest.toml or absolute",
        _path,
        in_folder=True,
    ),
]
Host = Annotated[
    str, FieldType("a name or address such as mail.example.com, without scheme and port", _host)
]
SiteUrl = Annotated[
    str, FieldType("an address such as https://www.example.com", validators.site_address)
]
Url = Annotated[
    str, FieldType("an address that begins with https:// or http://", validators.web_address)
]
Address = Annotated[
    str, FieldType("an e-mail address such as news@example.com", validators.mail_address)
]
BounceAddress = Annotated[
    str, FieldType("an e-mail address such as bounces@example.com", validators.bounce_address)
]
Sender = Annotated[
    tuple[str | None, str],
    FieldType("a sender such as Example News <news@example.com>", validators.split_sender),
]
Domain = Annotated[str, FieldType("a domain such as example.com", validators.domain)]
DomainKey = Annotated[str, FieldType('a domain, as in [domains."example.com"]', validators.domain)]
Selector = Annotated[
    str, FieldType("a name of letters, digits and -, such as digest1", validators.selector)
]
NameServer = Annotated[
    tuple[str, int],
    FieldType(
        "the IP address of a DNS server such as 192.0.2.53 or 127.0.0.1:5353",
        validators.nameserver,
    ),
]

# Time.
Zone = Annotated[ZoneInfo, FieldType("the name of a time zone, such as Europe/Paris", _zone)]
Duration = Annotated[
    timedelta,
    _at_least(timedelta(0), "a span of time such as 36h, 2d or 90m, or a number of seconds"),
]
Minutes = Annotated[
    timedelta,
    _at_least(timedelta(minutes=1), "a span of time from 1m up, such as 15m, 2h or 1d"),
]
Days = Annotated[timedelta, _at_least(_DAY, "a span of time from 1d up, such as 90d or 52w")]
Timeout = Annotated[
    float,
    FieldType(
        "a span of time up to an hour such as 30s, or a number of seconds",
        _timeout,
        accepts=(str, int, float),
    ),
]
ScheduleLines = Annotated[
    Schedule,
    FieldType(
        'a text such as "weekdays at 07:00", or a list of texts', _schedule, accepts=(str, list)
    ),
]
DaysOff = Annotated[
    frozenset[date],
    FieldType(
        'a date such as 2026-12-25, or "2026-12-24..2027-01-02"', _days_off, accepts=(str, date)
    ),
]
Hours = Annotated[QuietHours, FieldType('a span of the day such as "22:00-07:00"', _quiet_hours)]
