"""Values: what fills a reader's slots. Plain text on one line, not yet encoded for its place."""

from collections.abc import Callable
from functools import partial
from operator import attrgetter
from typing import Final

from digest.composer import slots
from digest.composer.links import ReaderLinks, token_part
from digest.composer.slots import PlaceholderName, Slot
from digest.lib.text import plain
from digest.model.subscriber import Recipient

#: Finds a reader's value, which may still have to be made plain.
Finder = Callable[[Recipient], str]

_TOKEN: Final = Slot("token")


def value_of(slot: Slot, recipient: Recipient, links: ReaderLinks) -> str:
    """The value of a slot. A field that the reader does not have is empty."""
    return "".join(
        part if isinstance(part, str) else plain(finder_of(part)(recipient))
        for part in parts_of(slot, links)
    )


def parts_of(slot: Slot, links: ReaderLinks) -> tuple[str | Slot, ...]:
    """What a slot is made of: of a link, only the token differs from reader to reader."""
    match slot.name:
        case PlaceholderName.UNSUBSCRIBE:
            return (links.unsubscribe_root, _TOKEN)
        case PlaceholderName.PREFERENCES:
            return (links.preferences_root, _TOKEN)
        case PlaceholderName.VIEW:
            return (links.view,)
        case _:
            return (slot,)


def finder_of(slot: Slot) -> Finder:
    """How to find the value of a slot that `parts_of` has left over."""
    if slot == _TOKEN:
        return _token
    match slot.name:
        case PlaceholderName.EMAIL | PlaceholderName.NAME:
            return attrgetter(slot.name)
        case PlaceholderName.GREETING:
            named, nameless = slot.words
            return partial(_greeting, named, nameless)
        case field:
            return partial(_field, field.removeprefix(slots.FIELD))


def _token(recipient: Recipient) -> str:
    return token_part(recipient.token)


def _greeting(named: str, nameless: str, recipient: Recipient) -> str:
    name = plain(recipient.name)
    return named.replace("{name}", name) if name else nameless


def _field(name: str, recipient: Recipient) -> str:
    return str(recipient.fields.get(name, ""))
