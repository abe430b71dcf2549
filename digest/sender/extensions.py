"""What a server offers in its answer to EHLO (RFC 5321 section 4.1.1.1)."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Extensions:
    """The extensions that matter here. `largest` is the SIZE limit in octets, None without one."""

    names: tuple[str, ...] = ()
    pipelining: bool = False
    eight_bit: bool = False
    smtputf8: bool = False
    size: bool = False
    largest: int | None = None

    @classmethod
    def offered(cls, keywords: Mapping[str, str]) -> "Extensions":
        """Of EHLO's keywords with their parameters."""
        offers = {name.upper(): parameters for name, parameters in keywords.items()}
        limit = offers.get("SIZE", "").strip()
        return cls(
            names=tuple(sorted(offers)),
            pipelining="PIPELINING" in offers,
            eight_bit="8BITMIME" in offers,
            smtputf8="SMTPUTF8" in offers,
            size="SIZE" in offers,
            # RFC 1870 section 4: zero means that there is no fixed limit.
            largest=int(limit) or None if limit.isascii() and limit.isdigit() else None,
        )
