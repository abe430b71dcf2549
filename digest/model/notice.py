"""A notice: something that the owner of a newsletter is told, once."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What is told. `event` names what happened, the same whenever and by whomever it is found.

    `subject` is one line; `body` says what happened and what to do, its lines ended by line feeds.
    Neither holds an address of a reader.
    """

    event: str
    subject: str
    body: str
