"""Whether receivers can tell that a message is ours: DKIM, SPF and DMARC, as DNS has them.

A DNS that does not answer in time is no fault of the newsletter's, so that is a warning.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Final

from digest.composer.dkim import DkimSigner
from digest.composer.dkim_keys import SigningKey, tags_of, txt_strings
from digest.config import DkimSettings, Settings
from digest.errors import ConfigError
from digest.lib.email_address import domain_of
from digest.publishing.checks.findings import Finding, failed, fine, problem, warning

#: Seconds for one question, whatever becomes of it.
PATIENCE: Final = 4.0
#: Octets of an answer by UDP: what fits into one packet nearly everywhere (DNS flag day 2020).
_UDP_SIZE: Final = 1232


async def txt_records(name: str, server: tuple[str, int] | None) -> tuple[str, ...] | None:
    """The TXT records of a name, each in one piece; None if DNS does not answer.

    `server` is the address and port to ask in place of this machine's own.
    """
    try:
        import dns.asyncresolver
        import dns.exception
        import dns.resolver
    except ImportError:
        raise ConfigError(
            "DNS is asked with the package dnspython, which is not installed",
            hint="Install digest with its extra: pip install 'digest[dkim]'",
        ) from None
    try:
        resolver = dns.asyncresolver.Resolver(configure=server is None)
        if server is not None:
            resolver.nameservers, resolver.port = [server[0]], server[1]
        resolver.use_edns(0, payload=_UDP_SIZE)
        answer = await resolver.resolve(
            f"{name}.", "TXT", lifetime=PATIENCE, raise_on_no_answer=False
        )
    except dns.resolver.NXDOMAIN:
        return ()
    except (dns.exception.DNSException, OSError):
        return None
    return tuple(b"".join(record.strings).decode("latin-1") for record in answer)


#: The TXT records of a name; None where DNS does not answer.
Ask = Callable[[str], Awaitable[tuple[str, ...] | None]]

_SILENT: Final = "DNS does not answer, so it is not known whether"
_TRY_AGAIN: Final = "Try again with a connection; dkim.nameserver names another server to ask."


async def check_authentication(settings: Settings) -> list[Finding]:
    """The findings for the domain of every sender; none where we do not sign."""
    dkim = settings.dkim
    if dkim is None:
        return []
    senders = {domain_of(n.sender_address): n.sender_address for n in settings.newsletters.values()}
    keys: dict[tuple[str, SigningKey], None] = {}
    findings: dict[Finding, None] = {}  # several senders may have the same problem
    for address in senders.values():
        try:
            signer = DkimSigner.from_settings(dkim, sender=address)
        except ConfigError as error:
            findings[failed("dkim", error)] = None
        else:
            keys |= dict.fromkeys((signer.domain, key) for key in signer.keys)
    ask = partial(txt_records, server=dkim.nameserver)
    # SPF is about the addresses to which bounces come back.
    bounces = (n.bounce_address or n.sender_address for n in settings.newsletters.values())
    asked = [
        *(_key(ask, domain, key) for domain, key in keys),
        *(_spf(ask, domain) for domain in dict.fromkeys(map(domain_of, bounces))),
        *(_dmarc(ask, domain, dkim) for domain in senders),
    ]
    return [*findings, *await asyncio.gather(*asked)]


async def _key(ask: Ask, domain: str, key: SigningKey) -> Finding:
    name = f"{key.selector}._domainkey.{domain}"
    value = " ".join(f'"{text}"' for text in txt_strings(key.record))
    publish = f"Publish this TXT record:\nname:  {name}.\nvalue: {value}"
    records = await ask(name)
    if records is None:
        return warning("dkim", f"{_SILENT} {name} holds the {key.name} key", publish)
    if not records:
        message = f"{name} is not there: no receiver can verify the {key.name} signature"
        return problem("dkim", message, publish)
    if len(records) > 1:
        message = f"{name} has {len(records)} TXT records, expected one (RFC 6376 section 3.6.2.2)"
        return problem("dkim", message, publish.replace("this TXT record", "this TXT record only"))
    for fault in _faults(tags_of(records[0]), key):
        return problem("dkim", f"{name} {fault}", publish)
    if "y" in tags_of(records[0]).get("t", "").split(":"):
        message = f"{name} holds the {key.name} key and says t=y: receivers treat it as a test"
        return warning("dkim", message, publish)
    return fine("dkim", f"{name} holds the {key.name} key")


def _faults(tags: dict[str, str], key: SigningKey) -> Iterator[str]:
    """Why a receiver would not accept our signature with a record of these tags."""
    if tags.get("p") == "":
        yield "is revoked: its p= is empty"
    elif tags.get("p") != key.public or tags.get("k", "rsa") != key.kind:
        yield f"holds another key than our {key.name} one"
    if "sha256" not in tags.get("h", "sha256").split(":"):
        yield f"does not allow sha256: h={tags['h']}"
    if not {"*", "email"} & set(tags.get("s", "*").split(":")):
        yield f"is not for e-mail: s={tags['s']}"


async def _spf(ask: Ask, domain: str) -> Finding:
    texts = await ask(domain)
    if texts is None:
        return warning("spf", f"{_SILENT} {domain} has an SPF record", _TRY_AGAIN)
    records = [record for record in texts if record.lower().split(" ")[0] == "v=spf1"]
    if len(records) == 1:
        return fine("spf", f"{domain}: {records[0]}")
    if records:
        message = f"{domain} has {len(records)} SPF records: receivers then ignore all of them"
        return warning("spf", message, "Merge them into one record.")
    return warning(
        "spf",
        f"{domain} has no SPF record",
        f"Publish a TXT record at {domain} with the servers that your mail leaves from, such as"
        " v=spf1 mx ~all (your mail provider says what to include).",
    )


async def _dmarc(ask: Ask, domain: str, dkim: DkimSettings) -> Finding:
    for name in _upwards(domain):
        texts = await ask(f"_dmarc.{name}")
        if texts is None:
            return warning("dmarc", f"{_SILENT} {domain} has a DMARC record", _TRY_AGAIN)
        records = [record for record in texts if tags_of(record).get("v", "").upper() == "DMARC1"]
        if len(records) != 1:
            continue
        if tags_of(records[0]).get("adkim") == "s" and dkim.domain not in (None, domain):
            return warning(
                "dmarc",
                f"_dmarc.{name} asks for strict alignment (adkim=s), and dkim.domain is"
                f" {dkim.domain}, not {domain}",
                "Remove dkim.domain from digest.toml, or adkim=s from the DMARC record.",
            )
        return fine("dmarc", f"_dmarc.{name}: {records[0]}")
    return warning(
        "dmarc",
        f"{domain} has no DMARC record, which large receivers ask of bulk mail",
        f"Publish a TXT record at _dmarc.{domain} such as"
        f" v=DMARC1; p=none; rua=mailto:postmaster@{domain}",
    )


def _upwards(domain: str) -> Iterator[str]:
    """The domain, and the ones above it but for the last label."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        yield ".".join(labels[start:])
