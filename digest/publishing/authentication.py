"""Whether receivers can tell that a message is ours: DKIM, SPF and DMARC, as DNS has them."""

import asyncio
from collections.abc import Sequence
from typing import Final

from digest.composer.addresses import domain_of
from digest.composer.dkim import DkimSigner
from digest.composer.dkim_keys import SigningKey, txt_strings
from digest.config import DkimSettings, Settings
from digest.errors import ConfigError
from digest.publishing.dns import texts
from digest.publishing.finding import Finding, failed, fine, problem, warning

_AREA: Final = "dkim"

#: The TXT records of a name; None where DNS does not answer.
_Texts = tuple[str, ...] | None


async def authentication(settings: Settings) -> list[Finding]:
    """The findings for the domain of every sender; none where we do not sign."""
    if settings.dkim is None:
        return []
    senders = {domain_of(n.sender_address): n.sender_address for n in settings.newsletters.values()}
    found: list[Finding] = []
    signers: dict[str, DkimSigner] = {}
    for domain, address in senders.items():
        try:
            signers[domain] = DkimSigner.from_settings(settings.dkim, sender=address)
        except ConfigError as error:
            found.append(failed(_AREA, error))
    asked = [
        *(_key(settings.dkim, *pair) for pair in _published(signers.values())),
        *(_spf(settings.dkim, domain) for domain in senders),
        *(_dmarc(settings.dkim, domain) for domain in senders),
    ]
    try:
        return [*dict.fromkeys(found), *await asyncio.gather(*asked)]
    except ConfigError as error:
        return [failed(_AREA, error)]


def _published(signers: Sequence[DkimSigner]) -> dict[]:
    ...
