"""How the service stands: written by the main loop, read by the pages of health and metrics."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

from digest.service.state import Pulse
from digest.storage.locks import Holder


class Role(StrEnum):
    """LEADING: the lease is ours. STANDING_BY: another one has it. ENDING: we were told to end."""

    STARTING = "starting"
    LEADING = "leading"
    STANDING_BY = "standing by"
    ENDING = "ending"


@dataclass(slots=True)
class Standing:
    """Each field is set as a whole, so that a reader in another thread sees no half of it.

    `messages` counts what became of messages since the start, by outcome; `errors` what was logged
    as an error, by event. `trouble` are the steps of the main loop that failed the last time.
    """

    pulse: Pulse = field(default_factory=Pulse)
    role: Role = Role.STARTING
    holder: Holder | None = None
    messages: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    trouble: frozenset[str] = frozenset()
