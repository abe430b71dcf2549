"""A strict parser of SMTP replies: bytes become `Reply` values (RFC 5321 section 4.2)."""

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from digest.model.delivery import Reply

#: Octets. A longer reply is malformed. Real ones, EHLO's included, stay below 4 KB.
MAX_REPLY: Final = 32_768

#: How much of a server's words we keep, in characters.
MAX_TEXT: Final = 400

_LINE: Final = re.compile(rb"([2-5][0-5][0-9])(?:([ -])(.*))?", re.DOTALL)
_WHOLE: Final = re.compile(rb"(?:[2-5][0-5][0-9](?: [^\n]{0,500})?\n|[2-5][0-5][0-9]\r\n){1,8}")
_ENHANCED: Final = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)")


class MalformedReply(Exception):
    """The server sent something that is no reply. The stream cannot be trusted after it."""


class ReplyParser:
    """Takes the stream in pieces of any size and returns each reply when its last line is there."""

    def __init__(self) -> None:
        self._rest = b""
        self._code: bytes | None = None
        self._lines: list[bytes] = []
        self._size = 0

    @property
    def is_amid_reply(self) -> bool:
        """Whether a reply has begun and is not complete yet."""
        return bool(self._rest or self._size)

    def feed(self, data: bytes) -> Iterable[Reply]:
        """The replies that `data` completes, in order.

        Raises MalformedReply where the stream goes wrong, after the replies that came before.
        """
        if not self._size and not self._rest and (replies := _replies_of(data)):
            return replies
        return self._feed_lines(data)

    def _feed_lines(self, data: bytes) -> Iterator[Reply]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._size += len(line) + 1
            if self._size > MAX_REPLY:
                raise _endless()
            if (reply := self._take(line.removesuffix(b"\r"))) is not None:
                self._size = 0
                yield reply
        if self._size + len(self._rest) > MAX_REPLY:
            raise _endless()

    def _take(self, line: bytes) -> Reply | None:
        """The reply that ends with this line, or None while more of it is to come."""
        code, separator, text = _parts(line)
        if self._code not in (None, code):
            raise MalformedReply(f"a reply that changes from {self._code!r} to {code!r}")
        self._lines.append(text)
        if separator == b"-":
            self._code = code
            return None
        reply = reply_of(int(code), self._lines)
        self._code, self._lines = None, []
        return reply


@lru_cache(maxsize=256)
def _replies_of(data: bytes) -> Sequence[Reply]:
    """The replies in `data` where it is nothing but whole replies of one line, else none.

    That is what nearly always arrives, and servers repeat themselves, word for word.
    """
    if not _WHOLE.fullmatch(data):
        return ()
    lines = [_parts(line.removesuffix(b"\r")) for line in data.split(b"\n")[:-1]]
    return tuple(reply_of(int(code), [text]) for code, _, text in lines)


def _endless() -> MalformedReply:
    return MalformedReply(f"a reply longer than {MAX_REPLY:,} octets")


def _parts(line: bytes) -> tuple[bytes, bytes, bytes]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise MalformedReply(f"{cleaned(line[:80])!r} is no SMTP reply")
    code, separator, text = match.groups(b"")
    return code, separator, text


def reply_of(code: int, lines: list[bytes]) -> Reply:
    """A reply of these lines, without their codes. RFC 3463's code is taken out of the text."""
    enhanced: str | None = None
    texts: list[str] = []
    for line in lines:
        text = cleaned(line)
        match = _ENHANCED.match(text)
        # A class that contradicts the code is not a status; it is left where it stands.
        if match is not None and match[1][0] == str(code)[0]:
            enhanced = enhanced or match[1]
            text = text[match.end() :]
        texts.append(text)
    return Reply(code=code, text=_bounded(" ".join(filter(None, texts))), enhanced=enhanced)


def cleaned(raw: bytes) -> str:
    """A server's words, safe to print: one line, without control characters."""
    text = raw.decode("utf-8", "replace")
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return " ".join(text.split())


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
