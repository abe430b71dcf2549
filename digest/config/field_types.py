"""The kinds of values in digest.toml: how each is checked, and how it is called in plain words.

The words serve twice: as what a problem says was expected, and as the type in the reference.
"""

import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from annotated_types import Ge, Gt, Le
from pydantic import AfterValidator, PlainValidator, ValidationInfo

from digest.config.domains import domain, nameserver, selector
from digest.config.refusal import CONTROL, LONGEST_LINE, line, nearest, refused
from digest.config.validators import bounce_address, mail_address, sender, site_address, web_address
from digest.lib import language_tags
from digest.lib.durations import parse_duration


@dataclass(frozen=True, slots=True)
class Words:
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
    str, AfterValidator(line), Words(f"a text of one line, at most {LONGEST_LINE} characters")
]
Host = Annotated[
    str,
    AfterValidator(_host),
    Words("a name or address such as mail.example.com, without scheme and port"),
]
Account = Annotated[str, AfterValidator(_optional_line), Words("a text of one line")]
Lines = Annotated[str, AfterValidator(_lines), Words("a text, of several lines if you like")]
Password = Annotated[str, AfterValidator(_password), Secret(), Words("a text of one line")]
FilePath = Annotated[
    str,
    AfterValidator(_path),
    Words("the path of a file, relative to the folder of digest.toml or absolute"),
]
SiteUrl = Annotated[
    str, AfterValidator(site_address), Words("an address such as https://www.example.com")
]
Url = Annotated[
    str, AfterValidator(web_address), Words("an address that begins with https:// or http://")
]
Address = Annotated[
    str, AfterValidator(mail_address), Words("an e-mail address such as news@example.com")
]
BounceAddress = Annotated[
    str, AfterValidator(bounce_address), Words("an e-mail address such as bounces@example.com")
]
Sender = Annotated[
    str, AfterValidator(sender), Words("a sender such as Example News <news@example.com>")
]
Domain = Annotated[str, AfterValidator(domain), Words("a domain such as example.com")]
Selector = Annotated[
    str, AfterValidator(selector), Words("a name of letters, digits and -, such as digest1")
]
NameServer = Annotated[
    str,
    AfterValidator(nameserver),
    Words("the IP address of a DNS server such as 192.0.2.53 or 127.0.0.1:5353"),
]
Zone = Annotated[
    ZoneInfo, PlainValidator(_zone), Words("the name of a time zone, such as Europe/Paris")
]
Language = Annotated[str, AfterValidator(_language), Words("a language tag such as en or de-AT")]
Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    Words("a span of time such as 36h, 2d or 90m, or a number of seconds"),
]
Timeout = Annotated[
    float,
    PlainValidator(_timeout),
    Words("a span of time up to an hour such as 30s, or a number of seconds"),
]
Encoding = Annotated[
    str, AfterValidator(_encoding), Words("the name of a text encoding such as utf-8 or cp1252")
]
Delimiter = Annotated[
    str, AfterValidator(_delimiter), Words('one character such as ";" or "\\t" (a tab)')
]
Switch = Annotated[bool, Words("true or false")]
Port = Annotated[int, Ge(1), Le(65_535), Words("a whole number from 1 to 65535")]
Connections = Annotated[int, Ge(1), Le(50), Words("a whole number from 1 to 50")]
Count = Annotated[int, Ge(1), Le(1000), Words("a whole number from 1 to 1000")]
CountOrNone = Annotated[int, Ge(0), Le(1000), Words("a whole number from 0 to 1000")]
Bytes = Annotated[int, Ge(1000), Le(10_000_000_000), Words("a whole number of bytes, from 1000 up")]
PerSecond = Annotated[
    float, Gt(0), Le(100_000), Words("a number above 0 such as 20, or 0.5 for one in two seconds")
]
Messages = Annotated[int, Ge(1), Le(10_000_000), Words("a whole number from 1 up")]
Weight = Annotated[int, Ge(1), Le(1000), Words("a whole number from 1 to 1000")]
LoginName = Annotated[
    Literal["plain", "login", "cram-md5", "xoauth2"], Words("plain, login, cram-md5 or xoauth2")
]
SecurityName = Annotated[Literal["none", "starttls", "tls"], Words("none, starttls or tls")]
DateOrderName = Annotated[Literal["day first", "month first"], Words("day first or month first")]
KindName = Annotated[
    Literal["feed", "csv", "json", "jsonl", "sqlite"], Words("feed, csv, json, jsonl or sqlite")
]
