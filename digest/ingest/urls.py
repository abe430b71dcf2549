"""A link as one spelling, so that the same page is the same text.

`cleaned` is the link that readers follow: absolute, ASCII, without what tracks them. `canonical` is
what links are compared by: that, and no fragment. Both are idempotent (RFC 3986 section 6.2.2).
"""

import html
import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

import idna

MOST_CHARACTERS: Final = 2_000
# Entities and escapes make a link longer, but not as much as this.
_MOST_ESCAPED: Final = 4 * MOST_CHARACTERS
# How many other tricks may hide an entity, each in the next: `&am%70;`, `&a&#109;p;`.
_MOST_ROUNDS: Final = 4
_HIDDEN: Final = "hides entities in entities"

# One that was escaped over and over, as in `&amp;amp;amp;lt;`, is found as a whole.
_ENTITY: Final = re.compile(
    r"&(?:(?:amp|#0{0,4}38|#x0{0,4}26);)*(amp|quot|apos|lt|gt|#\d{1,7}|#x[0-9a-f]{1,6});", re.I
)
_UNPRINTABLE: Final = re.compile(
    r"[\s\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.I)
_ESCAPE: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What may stand as it is in each part (RFC 3986 section 3.3 and 3.4).
_IN_PATH: Final = _UNRESERVED | frozenset("!$&'()*+,;=:@/")
_IN_QUERY: Final = _IN_PATH | frozenset("?")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PORTS: Final = {"http": 80, "https": 443}

# Parameters that say how a reader came, not which page is meant.
_TRACKING: Final = re.compile(
    r"""utm_.* | fbclid | gclid | gclsrc | gbraid | wbraid | dclid | gad_source | srsltid | msclkid
    | yclid | ttclid | twclid | li_fat_id | igsh(id)? | mc_[ce]id | ml_subscriber(_hash)? | mkt_tok
    | _hs(enc|mi) | hsctatracking | _bta_t?id | _bta_c | _ke | vero_(conv|id) | wickedid
    | oly_(anon|enc)_id | rb_clickid | s_cid | at_(campaign|medium) | wt\.mc_id | xtor""",
    re.X,
)
_TRACKING_FRAGMENT: Final = re.compile(r"(?:utm_[a-z]+|xtor)=", re.I)


def cleaned(text: str, base: str | None = None) -> str:
    """The link that readers follow. `base` makes a relative one absolute.

    Raises ValueError, in words, for what is no http(s) link, names no host or a user, or holds
    white space, control characters or more than 2,000 characters.
    """
    text = text.strip()
    if not text:
        raise ValueError("the link is empty")
    if len(text) > _MOST_ESCAPED:
        raise _too_long(text)
    try:
        text = _decoded(text)
        link = _settled(_absolute(text, base))
    except UnicodeError:
        raise ValueError(f"the host of the link {_quoted(text)} is not a domain name") from None
    except ValueError as error:
        raise ValueError(f"the link {_quoted(text)} {error}") from None
    if len(link) > MOST_CHARACTERS:
        raise _too_long(link)
    return link


def _absolute(text: str, base: str | None) -> str:
    if not text:
        raise ValueError("holds nothing that can be printed")
    if match := _UNPRINTABLE.search(text):
        raise ValueError(f"holds {_name(match[0])}")
    try:
        if text.startswith("//"):
            return (urlsplit(base).scheme if base else "https") + ":" + text
        if _SCHEME.match(text):
            return text
        if base is not None:
            return urljoin(base, text)
    except ValueError:
        raise ValueError("is relative to something that is not an address") from None
    raise ValueError("is relative, and what it is relative to is not known")


def _settled(text: str) -> str:
    """The link in its one form. Percent-encoding may have hidden entities: `&am%70;`."""
    link = _normal(text)
    for _ in range(_MOST_ROUNDS):
        if not _ENTITY.search(link):
            return link
        link = _normal(_decoded(link))
    raise ValueError(_HIDDEN)


def _too_long(link: str) -> ValueError:
    return ValueError(f"the link has {len(link):,} characters, at most {MOST_CHARACTERS:,}")


def canonical(link: str) -> str:
    """What a cleaned link is compared by: everything but its fragment."""
    return link.partition("#")[0]


def is_homepage(link: str) -> bool:
    """Whether a canonical link says where a site is, and not which article."""
    return link.endswith("/") and link.count("/") == 3 and "?" not in link


def _decoded(text: str) -> str:
    """The text without HTML entities. Each must end in a semicolon: `&copy=1` is a parameter."""
    for _ in range(_MOST_ROUNDS):
        if not _ENTITY.search(text):
            return text
        text = _ENTITY.sub(lambda match: html.unescape(f"&{match[1]};"), text)
    raise ValueError(_HIDDEN)


def _normal(link: str) -> str:
    try:
        parts = urlsplit(link)
        _ = parts.port
    except ValueError:
        raise ValueError("has an impossible host or port") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS:
        raise ValueError("is not http or https")
    path = _without_dots(_escaped(parts.path, _IN_PATH)) or "/"
    query = "&".join(
        field
        for field in _escaped(parts.query, _IN_QUERY).split("&")
        if not _TRACKING.fullmatch(field.partition("=")[0].lower())
    )
    fragment = _escaped(parts.fragment, _IN_QUERY)
    if _TRACKING_FRAGMENT.match(fragment):
        fragment = ""
    return (
        f"{scheme}://{_authority(parts, _PORTS[scheme])}{path}"
        + (f"?{query}" if query else "")
        + (f"#{fragment}" if fragment else "")
    )


def _authority(parts: SplitResult, default_port: int) -> str:
    if "@" in parts.netloc:
        raise ValueError("holds a user name, which can make it look like another host")
    if "\\" in parts.netloc:
        raise ValueError("holds a backslash where its host is")
    host, port = parts.hostname, parts.port
    if not host:
        raise ValueError("names no host")
    if port == 0:
        raise ValueError("has the port 0")
    name = f"[{ip_address(host)}]" if ":" in host else _a_labels(host)
    return name if port in (None, default_port) else f"{name}:{port}"


def _a_labels(host: str) -> str:
    """The host in ASCII, as DNS knows it (RFC 5891)."""
    if not host.isascii():
        host = idna.encode(host, uts46=True).decode("ascii")
    host = host.lower().rstrip(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in host.split(".")):
        raise UnicodeError
    return host


def _escaped(text: str, allowed: frozenset[str]) -> str:
    """Percent-encoding in its one form: upper case, and only where it is needed."""
    if allowed.issuperset(text):
        return text
    return "".join(
        _one_escape(part) if _ESCAPE.fullmatch(part) else _escape(part, allowed)
        for part in re.split(f"({_ESCAPE.pattern})", text)
    )


def _one_escape(escape: str) -> str:
    character = chr(int(escape[1:], 16))
    return character if character in _UNRESERVED else escape.upper()


def _escape(text: str, allowed: frozenset[str]) -> str:
    return "".join(
        character
        if character in allowed
        else "".join(f"%{byte:02X}" for byte in character.encode())
        for character in text
    )


def _without_dots(path: str) -> str:
    """The path without `.` and `..` (RFC 3986 section 5.2.4)."""
    if "/." not in path:
        return path
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _name(character: str) -> str:
    return "white space" if character.isspace() else f"the character U+{ord(character):04X}"


def _quoted(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:59] + "...")
