"""The newsletter's language: its words, plurals, dates and numbers, and its direction.

Words are TOML, one file for each language. babel knows the rest: which plural category a number
takes, how a day is written, how a list is joined. The only module that knows babel.
"""

import datetime as dt
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.lists import format_list
from babel.numbers import format_decimal

from digest.composer.personalization import ReaderValue
from digest.errors import ConfigError

Words = Mapping[str, str | Mapping[str, str]]

#: The language that is complete by definition: every other has its keys.
REFERENCE: Final = "en"

#: Words that a site's own language may lack, and the ones that stand for them then.
_STAND_INS: Final = {"unsubscribe_by_mail": "unsubscribe"}

_PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Locality:
    """Dates, numbers and lists as a language writes them. `code` is its tag, as in `lang="de"`."""

    code: str
    locale: Locale

    @classmethod
    def of(cls, code: str) -> "Locality":
        """The locality of a language tag such as `de` or `en-GB`. Raises ConfigError."""
        try:
            return cls(code, Locale.parse(code.replace("_", "-"), sep="-"))
        except (UnknownLocaleError, ValueError, TypeError):
            raise ConfigError(
                f"there is no language {code!r}; expected a tag such as en, en-GB or ar"
            ) from None

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return str(self.locale.text_direction)

    def number(self, value: int) -> str:
        """A whole number, grouped as the language does."""
        return format_decimal(value, locale=self.locale)

    def date(self, day: dt.date) -> str:
        """A day with its weekday: `Thursday, 12 March 2026`."""
        return format_date(day, format="full", locale=self.locale)

    def listing(self, items: Sequence[str]) -> str:
        """`Town, Sport and Culture`."""
        return format_list(list(items), locale=self.locale)

    def moment(self, instant: dt.datetime, *, today: dt.date, zone: ZoneInfo) -> str:
        """When something was published: the time if it was today, else the day."""
        local = instant.astimezone(zone)
        if local.date() == today:
            return format_time(local.time(), format="short", locale=self.locale)
        skeleton = "MMMd" if local.year == today.year else "yMMMd"
        # Midnight as a naive time: babel would convert a bare date to another zone.
        day = dt.datetime(local.year, local.month, local.day)  # noqa: DTZ001
        return format_skeleton(skeleton, day, locale=self.locale)

    def plural(self, count: int) -> str:
        """The plural category of a number: zero, one, two, few, many or other."""
        return str(self.locale.plural_form(count))

    @property
    def plurals(self) -> frozenset[str]:
        """The plural categories that the language has."""
        return frozenset(self.locale.plural_form.tags) | {"other"}


@dataclass(frozen=True, slots=True)
class Language:
    """A language with its words. `origin` names the files that they come from."""

    locality: Locality
    words: Words
    origin: str

    def say(self, key: str, count: int | None = None, **values: object) -> str:
        """The words of a key, `{places}` filled with the values; `count` chooses the plural.

        A reader's value may be given: its placeholder goes into the sentence. Raises LookupError
        for a key or a place that is not there, ValueError where a count is missing or too much.
        """
        entry = self.words.get(key)
        if entry is None:
            raise LookupError(f"{self.origin} has no words for {key!r}")
        if isinstance(entry, str):
            sentence = entry
        elif count is None:
            raise ValueError(f"{key!r} has plurals: say it with a count")
        else:
            sentence = entry[self.locality.plural(count)]
        if count is not None:
            values["count"] = self.locality.number(count)
        return _PLACE.sub(lambda place: self._value(key, place[1], values), sentence)

    def _value(self, key: str, place: str, values: Mapping[str, object]) -> str:
        if place not in values:
            raise LookupError(f"{self.origin}: {key!r} has a place {{{place}}} that nothing fills")
        value = values[place]
        return value.print() if isinstance(value, ReaderValue) else str(value)


def available_languages(folders: Sequence[Path]) -> tuple[str, ...]:
    """The languages that these template folders have words for, sorted."""
    return tuple(sorted({file.stem for folder in folders for file in folder.glob("words/*.toml")}))


def open_language(code: str, folders: Sequence[Path]) -> Language:
    """A language with the words of `folders`, the first of them winning word by word.

    `de-AT` uses its own words where there are some, and those of `de` otherwise.
    Raises ConfigError where there are none, or where one is missing.
    """
    locality = Locality.of(code)
    names = list(dict.fromkeys((code.replace("_", "-"), locality.locale.language)))
    # The most general first: what follows overrides it.
    files = [
        folder / "words" / f"{name}.toml"
        for name in reversed(names)
        for folder in reversed(folders)
    ]
    files = [file for file in files if file.is_file()]
    if not files:
        known = ", ".join(available_languages(folders))
        raise ConfigError(
            f"there are no words for the language {code!r}; there are some for {known}",
            hint=f"Write templates/email/words/{names[-1]}.toml beside digest.toml, "
            f"or choose one of these.",
        )
    words: dict[str, str | Mapping[str, str]] = {}
    for file in files:
        words |= _read(file)
    for key, other in _STAND_INS.items():
        if key not in words and other in words:
            words[key] = words[other]
    origin = " and ".join(str(file) for file in reversed(files))
    _demand_everything(words, locality, origin, folders)
    return Language(locality, MappingProxyType(words), origin)


def _read(file: Path) -> dict[str, str | Mapping[str, str]]:
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file} is not TOML in UTF-8: {error}") from None
    for key, entry in document.items():
        texts = entry.values() if isinstance(entry, dict) else (entry,)
        if not all(isinstance(text, str) for text in texts):
            raise ConfigError(f"{file}: {key}: found {entry!r}, expected text, or text by plural")
    return document


def _demand_everything(
    words: Words, locality: Locality, origin: str, folders: Sequence[Path]
) -> None:
    missing = []
    for key, reference in _read(folders[-1] / "words" / f"{REFERENCE}.toml").items():
        entry = words.get(key)
        if entry is None or isinstance(entry, str) != isinstance(reference, str):
            missing.append(key)
        elif not isinstance(entry, str):
            missing += [f"{key}.{plural}" for plural in sorted(locality.plurals - entry.keys())]
    if missing:
        raise ConfigError(
            f"{origin}: words for {locality.code} are missing: {', '.join(missing)}",
            hint="en.toml shows what each is for.",
        )
