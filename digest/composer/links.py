"""Links: one spelling of a URL for every part, and the addresses of a reader's own pages."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from digest.errors import TemplateError
from digest.lib.email_address import ascii_domain, wire_address
from digest.lib.text import plain
from digest.model.newsletter import Newsletter, Site

# RFC 3986's reserved and unreserved characters, and "%" for what is escaped already.
_KEPT = "%/:?@!$&'()*+,;=~-._"

# RFC 3986's unreserved characters, of which our tokens are made.
_UNRESERVED = re.compile(r"[A-Za-z0-9_.~-]+")


def web_link(url: str) -> str:
    """The URL in ASCII, as HTML, text and headers all write it.

    Whatever an inliner or a mail client might escape is escaped here, so that the link is the same
    everywhere. Raises TemplateError for what is not an http or https URL with a host.
    """
    try:
        parts = urlsplit(plain(url))
        network = _network(parts)
    except ValueError:
        network = ""
    if not network or parts.scheme not in ("http", "https"):
        raise TemplateError(
            f"cannot link to {url!r}: expected an http or https address",
            hint="Correct the article's link, or withdraw the article.",
        )
    path, query, fragment = (
        quote(part, safe=_KEPT) for part in (parts.path, parts.query, parts.fragment)
    )
    return urlunsplit((parts.scheme, network, path, query, fragment))


def _network(parts: SplitResult) -> str:
    """Host and port; a user and password are dropped. Empty without a host, or a ValueError."""
    host, port = parts.hostname, parts.port
    if not host:
        return ""
    written = f"[{host}]" if ":" in host else ascii_domain(host)
    return written if port is None else f"{written}:{port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReaderLinks:
    """The addresses of one edition's readers. A reader's token follows the roots.

    `unsubscribe_root` leads to the page that ends a subscription, which is RFC 8058's one-click
    address too; `preferences_root` to the page for topics and rhythm; `view` to the edition.
    `pages` tells whether these pages answer. Where they do not, no new text names them; an edition
    that was rendered with them keeps them. `unsubscribe_mail_root` leaves by mail, always.
    """

    pages: bool
    unsubscribe_root: str
    preferences_root: str
    view: str
    unsubscribe_mail_root: str

    @property
    def one_click(self) -> bool:
        """Whether RFC 8058's one-click unsubscribing may be offered; its section 3.1 asks https."""
        return self.pages and self.unsubscribe_root.lower().startswith("https://")


def token_part(token: str) -> str:
    """A reader's token as a link ends with it."""
    return token if _UNRESERVED.fullmatch(token) else quote(token, safe="")


def reader_links(site: Site, newsletter: Newsletter, number: int) -> ReaderLinks:
    """The links of issue `number` of the newsletter."""
    root = web_link(site.pages_url or site.url).rstrip("/")
    return ReaderLinks(
        pages=site.pages_url is not None,
        unsubscribe_root=f"{root}/u/",
        preferences_root=f"{root}/p/",
        view=f"{root}/e/{quote(newsletter.key, safe='')}/{number}",
        unsubscribe_mail_root=mail_link(newsletter.reply_address, "unsubscribe "),
    )


def mail_link(address: str, subject: str) -> str:
    """The `mailto` URI (RFC 6068) of a message with this subject. Raises SubscriberError."""
    return f"mailto:{quote(wire_address(address), safe='@')}?subject={quote(subject)}"
