"""From the configuration to the transport: one relay, or a pool of relays with limits."""

import math
import ssl

from digest.config.settings import DomainLimits, Settings, SmtpSettings
from digest.sender.rate_limits import Limiter, Rate, Rates, SlidingWindow, TokenBucket
from digest.sender.relay_pool import Relay, RelayPool
from digest.sender.smtp import SmtpTransport
from digest.sender.transport import Transport


def transport_for(settings: Settings, *, tls: ssl.SSLContext | None = None) -> Transport:
    """The transport of this configuration, not entered yet.

    One relay without limits needs no pool.
    """
    relays = settings.outgoing
    if len(relays) == 1 and not settings.domains and not rates_of(relays[0]).rates:
        return SmtpTransport(relays[0], tls=tls)
    return RelayPool(
        [relay_of(relay, tls=tls) for relay in relays],
        {domain: limiter_of(limits) for domain, limits in settings.domains.items()},
    )


def relay_of(settings: SmtpSettings, *, tls: ssl.SSLContext | None = None) -> Relay:
    """A relay of the pool, with its limits."""
    return Relay(
        SmtpTransport(settings, tls=tls),
        name=settings.name or settings.host,
        weight=settings.weight,
        rates=rates_of(settings),
    )


def limiter_of(limits: DomainLimits) -> Limiter:
    """The limits of messages to a domain."""
    return Limiter(limits.connections or math.inf, rates_of(limits))


def rates_of(limits: SmtpSettings | DomainLimits) -> Rates:
    """The rates that limits ask for."""
    rates: list[Rate] = []
    if limits.messages_per_second is not None:
        rates.append(TokenBucket.of(limits.messages_per_second))
    if isinstance(limits, SmtpSettings) and (quota := limits.messages_per_window) is not None:
        window = SlidingWindow(limit=quota.messages, window=quota.window.total_seconds())
        rates.append(window)
    return Rates(rates=tuple(rates))
