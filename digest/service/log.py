"""The log of the service: one line an event, for people or for programs, without personal data.

A line has a time, a level, an event and fields: newsletters, slots, numbers of editions, counts.
What others wrote (servers, sources, exceptions) may name readers. So every text goes through
`redact`, and of a server's reply only the codes are kept: `digest status` has its words.
"""

import json
import re
import sys
import traceback
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final, TextIO

from digest.config.settings import LogForm, Settings
from digest.errors import ConfigError, DigestError
from digest.lib.timestamps import to_text

Field = str | int | float | bool | None

_ADDRESS = re.compile(r"""(?:"[^"\n]*"|[^\s<>()\[\],;:"'=]+)(?:@|%40)[^\s<>()\[\],;:"'/?&]+""")
#: An SMTP reply that somebody quotes: what follows its codes are the server's own words.
_REPLY = re.compile(r"((?:^|[:(] ?)[245][0-5]\d(?: [245]\.\d{1,3}\.\d{1,3})?) [^\n]*", re.MULTILINE)
#: A token of ours has 22 characters; whatever is as long and as random may be one.
_TOKEN = re.compile(r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}(?![\w-])")
_QUERY = re.compile(r"(https?://[^\s?#]*)[?#][^\s)\"']*")

_MOST_CHARACTERS: Final = 1000

#: Fields that hold only words of the program and of the configuration.
_SAFE_FIELDS: Final = frozenset(
    {"time", "level", "event", "slot", "newsletter", "source", "database", "traceback"}
)


def redact(text: str, secrets: Collection[str] = ()) -> str:
    """The text without personal data: addresses, tokens, replies of servers, and `secrets`."""
    for secret in secrets:
        text = text.replace(secret, "…")
    text = _REPLY.sub(r"\1 …", text)
    text = _QUERY.sub(r"\1?…", text)
    text = _ADDRESS.sub("…@…", text)
    text = _TOKEN.sub("…", text)
    return text if len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + "…"


def secrets_of(settings: Settings) -> Collection[str]:
    """The passwords of the settings, which no line may show."""
    return [server.password for server in settings.outgoing if server.password]


class Log:
    """Writes lines to a stream. Safe from several threads; not from a signal handler."""

    def __init__(
        self,
        form: LogForm,
        clock: Callable[[], datetime],
        *,
        secrets: Collection[str] = (),
        stream: TextIO | None = None,
    ) -> None:
        self.form = form
        self.secrets = secrets
        self._clock = clock
        self._stream = stream or sys.stderr

    def info(self, event: str, message: str = "", **fields: Field) -> None:
        """Something happened as it should."""
        self._write("info", event, message, fields)

    def warning(self, event: str, message: str = "", **fields: Field) -> None:
        """Somebody may want to look at this."""
        self._write("warning", event, message, fields)

    def error(self, event: str, error: BaseException, **fields: Field) -> None:
        """Something failed. An error that nobody foresaw is shown with where it came from."""
        fields |= {"error": type(error).__name__}
        if isinstance(error, DigestError):
            problems = error.problems if isinstance(error, ConfigError) else ()
            message = "; ".join([error.message, *map(str, problems)])
            self._write("error", event, message, fields | {"hint": error.hint or None})
            return
        # The frames only: values may be of readers.
        frames = reversed(traceback.extract_tb(error.__traceback__))
        trace = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
        self._write("error", event, str(error), fields | {"traceback": trace})

    def _write(self, level: str, event: str, message: str, fields: dict[str, Field]) -> None:
        line: dict[str, Field] = {"time": to_text(self._clock()), "level": level, "event": event}
        line |= {"message": message or None} | fields
        for key, value in line.items():
            if isinstance(value, str) and key not in _SAFE_FIELDS:
                line[key] = redact(value, self.secrets)
        line = {key: value for key, value in line.items() if value is not None}
        text = json.dumps(line, ensure_ascii=True) if self.form is LogForm.JSON else _text(line)
        try:
            self._stream.write(text + "\n")
            self._stream.flush()
        except (OSError, ValueError):
            return  # nobody reads it; that is no reason to leave readers without their edition


def _text(line: dict[str, Field]) -> str:
    head = f"{line.pop('time')} {line.pop('level'):7} {line.pop('event')}"
    message = line.pop("message", None)
    fields = "".join(f" {key}={_value(value)}" for key, value in line.items())
    return head + fields + (f" — {_one_line(str(message))}" if message else "")


def _value(value: Field) -> str:
    text = _one_line(str(value))
    return json.dumps(text, ensure_ascii=False) if re.search(r"[\s=\"]", text) or not text else text


def _one_line(text: str) -> str:
    text = " ".join(text.split())
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)
