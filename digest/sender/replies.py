"""Replies: a stream of bytes becomes `Reply` values, strictly (RFC 5321 section 4.2)."""

import re
from collections.abc import Iterator
from typing import Final

from digest.model.outcome import Reply

#: A reply that is longer than this is not one. Real ones, EHLO's included, stay below 4 KB.
MAX_REPLY: Final = 32_768

#: How much of a server's words we keep, in characters.
MAX_TEXT: Final = 400

_LINE: Final = re.compile(rb"([2-5][0-5][0-9])(?:([ -])(.*))?", re.DOTALL)
_ENHANCED: Final = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:\s+|$)")


class MalformedReply(Exception):
    """The server sent what is no reply. The stream cannot be trusted after it."""


class ReplyParser:
    """Takes the stream in pieces of any size and gives each reply when its last line is there."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._code: bytes | None = None
        self._lines: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> Iterator[Reply]:
        """The replies that `data` completes, in order.

        Raises MalformedReply where the stream goes wrong, after the replies that came before.
        """
        self._rest += data
        while (end := self._rest.find(b"\n")) >= 0:
            line = bytes(self._rest[:end]).removesuffix(b"\r")
            del self._rest[: end + 1]
            self._count(end + 1)
            if (reply := self._take(line)) is not None:
                yield reply
        self._bound(len(self._rest))

    def _count(self, octets: int) -> None:
        self._bound(octets)
        self._size += octets

    def _bound(self, octets: int) -> None:
        if self._size + octets > MAX_REPLY:
            raise MalformedReply(f"a reply longer than {MAX_REPLY:,} octets")

    def _take(self, line: bytes) -> Reply | None:
        match = _LINE.fullmatch(line)
        if match is None:
            raise MalformedReply(f"{cleaned(line[:80])!r} is no SMTP reply")
        code, separator, text = match.groups()
        if self._code not in (None, code):
            raise MalformedReply(f"a reply that changes from {self._code!r} to {code!r}")
        self._lines.append(text or b"")
        if separator == b"-":
            self._code = code
            return None
        reply = reply_of(int(code), self._lines)
        self._code, self._lines, self._size = None, [], 0
        return reply


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
    """A server's words, safe to print: one line, nothing that steers a terminal."""
    text = raw.decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _bounded(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
