"""Signing: who signs a newsletter's messages (DKIM, RFC 6376), and a message filled and signed."""

import asyncio
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from digest.composer.dkim import DkimSigner
from digest.composer.message import PreparedMessage
from digest.config import Settings
from digest.model.newsletter import Newsletter
from digest.model.subscriber import Recipient

_CORES: Final = (
    len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
)


def signer_of(settings: Settings, newsletter: Newsletter) -> DkimSigner | None:
    """The signer of a newsletter's messages; None where we do not sign.

    Reads the keys, which takes some 0.1 s. Raises ConfigError where they cannot serve.
    """
    if settings.dkim is None:
        return None
    return DkimSigner.from_settings(settings.dkim, sender=newsletter.sender_address)


async def fill_and_sign(
    prepared: PreparedMessage, recipient: Recipient, *, delivery_id: int, date: datetime
) -> Sequence[bytes]:
    """The pieces of the message for one reader, as `PreparedMessage.pieces` gives them.

    Signing takes twenty times as long as everything else about a message, and does not hold Python
    up: where there is another core it has it, while the event loop continues.
    """
    if prepared.signature is None or _CORES == 1:
        return prepared.pieces(recipient, delivery_id=delivery_id, date=date)
    return await asyncio.to_thread(prepared.pieces, recipient, delivery_id=delivery_id, date=date)
