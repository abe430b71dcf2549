"""The kinds of values in digest.toml: how each is checked, and how it is called in plain words.

The words serve twice: as what a problem says was expected, and as the type in the reference.

What every table of digest.toml is.

The kinds of values that say when; see `digest.config.field_types` for all the others.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from digest.config.validators import (
    CONTROL,
    LONGEST_LINE,
    bounce_address,
    domain,
    line,
    mail_address,
    nameserver,
    refused,
    selector,
    sender,
    site_address,
    web_address,
)
from digest.lib import language_tags
from digest.lib.durations import parse_duration
from digest.lib.text import nearest
from digest.model.schedule import QuietHours, Schedule
from digest.schedule.parse import parse_schedule
from digest.schedule.phrases import ScheduleError


@dataclass(frozen=True, slots=True)
class FieldDescription:
    """A kind in plain words, as they follow "expected"."""

    text: str


class Secret:
    """Marks a key whose value is never shown."""


def _host(text: str) -> str:
    host = line(text).removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if re.search(r"[\s/@:\[\]]", host):
            raise refused() from None
    return host


def _optional_line(text: str) -> str | None:
    return line(text) if text.strip() else None


def _password(text: str) -> str | None:
    if CONTROL.search(text):
        raise refused()
    return text or None


def _lines(text: str) -> str:
    if CONTROL.search(re.sub(r"[\t\n\r]", " ", text)):
        raise refused()
    return "\n".join(line.strip() for line in text.strip().splitlines())


def _path(text: str) -> str:
    if not text.strip() or CONTROL.search(text):
        raise refused()
    return text


def _zone(value: object) -> ZoneInfo:
    if not isinstance(value, str):
        raise refused()
    try:
        return ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        raise refused(suggestion=_nearest_zone(value)) from None


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


def _language(text: str, info: ValidationInfo) -> str:
    tag = language_tags.canonical(text)
    folder = (info.context or {}).get("folder", Path())
    known = language_tags.known(folder)
    if tag is None:
        raise refused(
            f"a language tag such as en or pt-BR, with words (there are {', '.join(known)})",
            nearest(text, known),
        )
    if not language_tags.has_words(tag, folder):
        raise refused(
            f"a language that has words: {', '.join(known)}, or one of your own in"
            f" templates/email/words/{tag}.toml"
        )
    return tag


def _duration(value: object) -> timedelta:
    try:
        return parse_duration(value)
    except ValueError:
        raise refused() from None


def _timeout(value: object) -> float:
    seconds = _duration(value).total_seconds()
    if not 0.1 <= seconds <= 3600:
        raise refused()
    return seconds


def _encoding(text: str) -> str:
    try:
        # Codecs that make no text, such as base64, are refused here, too.
        b"text".decode(text, "ignore")
    except (LookupError, ValueError):
        raise refused() from None
    return text


def _delimiter(text: str) -> str:
    if len(text) != 1 or text in '"\r\n' or text.isalnum():
        raise refused()
    return text


Line = Annotated[
    str,
    AfterValidator(line),
    FieldDescription(f"a text of one line, at most {LONGEST_LINE} characters"),
]
Host = Annotated[
    str,
    AfterValidator(_host),
    FieldDescription("a name or address such as mail.example.com, without scheme and port"),
]
Account = Annotated[str, AfterValidator(_optional_line), FieldDescription("a text of one line")]
Lines = Annotated[
    str, AfterValidator(_lines), FieldDescription("a text, of several lines if you like")
]
Password = Annotated[
    str, AfterValidator(_password), Secret(), FieldDescription("a text of one line")
]
FilePath = Annotated[
    str,
    AfterValidator(_path),
    FieldDescription("the path of a file, relative to the folder of digest.toml or absolute"),
]
SiteUrl = Annotated[
    str,
    AfterValidator(site_address),
    FieldDescription("an address such as https://www.example.com"),
]
Url = Annotated[
    str,
    AfterValidator(web_address),
    FieldDescription("an address that begins with https:// or http://"),
]
Address = Annotated[
    str,
    AfterValidator(mail_address),
    FieldDescription("an e-mail address such as news@example.com"),
]
BounceAddress = Annotated[
    str,
    AfterValidator(bounce_address),
    FieldDescription("an e-mail address such as bounces@example.com"),
]
Sender = Annotated[
    str,
    AfterValidator(sender),
    FieldDescription("a sender such as Example News <news@example.com>"),
]
Domain = Annotated[str, AfterValidator(domain), FieldDescription("a domain such as example.com")]
Selector = Annotated[
    str,
    AfterValidator(selector),
    FieldDescription("a name of letters, digits and -, such as digest1"),
]
NameServer = Annotated[
    str,
    AfterValidator(nameserver),
    FieldDescription("the IP address of a DNS server such as 192.0.2.53 or 127.0.0.1:5353"),
]
Zone = Annotated[
    ZoneInfo,
    PlainValidator(_zone),
    FieldDescription("the name of a time zone, such as Europe/Paris"),
]
Language = Annotated[
    str, AfterValidator(_language), FieldDescription("a language tag such as en or de-AT")
]
Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    FieldDescription("a span of time such as 36h, 2d or 90m, or a number of seconds"),
]
Timeout = Annotated[
    float,
    PlainValidator(_timeout),
    FieldDescription("a span of time up to an hour such as 30s, or a number of seconds"),
]
Encoding = Annotated[
    str,
    AfterValidator(_encoding),
    FieldDescription("the name of a text encoding such as utf-8 or cp1252"),
]
Delimiter = Annotated[
    str, AfterValidator(_delimiter), FieldDescription('one character such as ";" or "\\t" (a tab)')
]
Switch = Annotated[bool, FieldDescription("true or false")]
Port = Annotated[int, Ge(1), Le(65_535), FieldDescription("a whole number from 1 to 65535")]
Connections = Annotated[int, Ge(1), Le(50), FieldDescription("a whole number from 1 to 50")]
Count = Annotated[int, Ge(1), Le(1000), FieldDescription("a whole number from 1 to 1000")]
CountOrNone = Annotated[int, Ge(0), Le(1000), FieldDescription("a whole number from 0 to 1000")]
Bytes = Annotated[
    int, Ge(1000), Le(10_000_000_000), FieldDescription("a whole number of bytes, from 1000 up")
]
PerSecond = Annotated[
    float,
    Gt(0),
    Le(100_000),
    FieldDescription("a number above 0 such as 20, or 0.5 for one in two seconds"),
]
Messages = Annotated[int, Ge(1), Le(10_000_000), FieldDescription("a whole number from 1 up")]
Weight = Annotated[int, Ge(1), Le(1000), FieldDescription("a whole number from 1 to 1000")]
LoginName = Annotated[
    Literal["plain", "login", "cram-md5", "xoauth2"],
    FieldDescription("plain, login, cram-md5 or xoauth2"),
]
SecurityName = Annotated[
    Literal["none", "starttls", "tls"], FieldDescription("none, starttls or tls")
]
DateOrderName = Annotated[
    Literal["day first", "month first"], FieldDescription("day first or month first")
]
KindName = Annotated[
    Literal["feed", "csv", "json", "jsonl", "sqlite"],
    FieldDescription("feed, csv, json, jsonl or sqlite"),
]


class ConfigTable(BaseModel):
    """A table takes its own keys and no others, and each value as its own type."""

    # Inputs stay out of errors: a chained traceback must not show a password.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


_DAY: Final = timedelta(days=1)
_DATE: Final = re.compile(r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2})\s*")
_HOURS: Final = re.compile(r"\s*([0-9]{1,2}):([0-9]{2})\s*[-–]\s*([0-9]{1,2}):([0-9]{2})\s*")
#: A longer holiday is rather a typing error in its year.
_LONGEST_HOLIDAY: Final = timedelta(days=366)


class OneOrSeveral:
    """Marks a key that takes a text, or a list of texts."""


def schedule(value: object) -> Schedule:
    """The schedule of a text, or of a list of texts. Raises what `refused` makes."""
    lines = [_line(text) for text in (value if isinstance(value, list) else [value])]
    try:
        return parse_schedule(lines)
    except ScheduleError as error:
        raise refused(error.expected, error.suggestion, error.found if lines else None) from None


def _line(text: object) -> str:
    if not isinstance(text, str):
        raise refused()
    try:
        return line(text)
    except PydanticCustomError:
        raise refused(found=text) from None


def _days_off(value: object) -> tuple[date, ...]:
    """The day, or every day of a holiday such as `2026-12-24..2027-01-02`."""
    if type(value) is date:  # a datetime is one, too, and says more than a day
        return (value,)
    if not isinstance(value, str):
        raise refused()
    first, dots, last = value.partition("..")
    begin, end = _date(first), _date(last if dots else first)
    if not timedelta(0) <= end - begin <= _LONGEST_HOLIDAY:
        raise refused("a holiday that ends after it begins, and within a year")
    return tuple(begin + n * _DAY for n in range((end - begin).days + 1))


def _date(text: str) -> date:
    found = _DATE.fullmatch(text)
    try:
        return date.fromisoformat(found[1] if found else "")
    except ValueError:
        raise refused() from None


def quiet_hours(value: object) -> QuietHours:
    """The hours of a text such as `22:00-07:00`. Raises what `refused` makes."""
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise refused()
    hour, minute, end_hour, end_minute = map(int, found.groups())
    try:
        begin, end = time(hour, minute), time(end_hour, end_minute)
    except ValueError:
        until_midnight = (end_hour, end_minute) == (24, 0) and (hour, minute) != (0, 0)
        midnight = f"{hour:02d}:{minute:02d}-00:00" if until_midnight else None
        raise refused("times from 00:00 to 23:59", midnight) from None
    if begin == end:
        raise refused("hours that end at another time than they begin")
    return QuietHours(begin=begin, end=end)


def _span_from(least: timedelta) -> Callable[[object], timedelta]:
    """A check of a span of time that has to be so long at least."""

    def check(value: object) -> timedelta:
        try:
            span = parse_duration(value)
        except ValueError:
            raise refused() from None
        if span < least:
            raise refused()
        return span

    return check


ScheduleLines = Annotated[
    Schedule,
    PlainValidator(schedule),
    OneOrSeveral(),
    FieldDescription('a text such as "weekdays at 07:00", or a list of texts'),
]
DaysOff = Annotated[
    tuple[date, ...],
    PlainValidator(_days_off),
    FieldDescription('a date such as 2026-12-25, or "2026-12-24..2027-01-02"'),
]
Hours = Annotated[
    QuietHours,
    PlainValidator(quiet_hours),
    FieldDescription('a span of the day such as "22:00-07:00"'),
]
Minutes = Annotated[
    timedelta,
    PlainValidator(_span_from(timedelta(minutes=1))),
    FieldDescription("a span of time from 1m up, such as 15m, 2h or 1d"),
]
Days = Annotated[
    timedelta,
    PlainValidator(_span_from(_DAY)),
    FieldDescription("a span of time from 1d up, such as 90d or 52w"),
]
CatchUpName = Annotated[
    Literal["collapse", "replay", "skip"], FieldDescription("collapse, replay or skip")
]
DeliverAtName = Annotated[Literal["newsletter", "reader"], FieldDescription("newsletter or reader")]
ApprovalName = Annotated[Literal["none", "required"], FieldDescription("none or required")]
OnSilenceName = Annotated[Literal["send", "hold", "skip"], FieldDescription("send, hold or skip")]
LogFormName = Annotated[Literal["text", "json"], FieldDescription("text or json")]
