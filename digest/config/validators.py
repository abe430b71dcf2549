"""Addresses of the web and of mail, as they may stand in digest.toml.

Each function returns the address in the form that settings hold, or raises `refused`.
"""

import re
from urllib.parse import urlsplit

from digest.config.refusal import CONTROL, line, refused
from digest.model.newsletter import LONGEST_BOUNCE_NAME


def web_address(text: str) -> str:
    """An http(s) address, as it was given."""
    # urlsplit would drop tabs and line ends silently.
    if CONTROL.search(text) or " " in text or "\\" in text:
        raise refused()
    try:
        parts = urlsplit(text)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        raise refused() from None
    if parts.scheme not in ("http", "https") or not host:
        # What has an @ may hold a password, and is not repeated.
        guessable = "://" not in text and "." in text and "@" not in text
        raise refused(suggestion=f"https://{text.lstrip('/')}" if guessable else None)
    return text


def site_address(text: str) -> str:
    """The public address of the site, without a slash at the end: paths are appended to it."""
    url = web_address(text.strip())
    parts = urlsplit(url)
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise refused("an http(s) address without user, query and fragment")
    return url.rstrip("/").removesuffix("?").removesuffix("#").rstrip("/")


def mail_address(text: str) -> str:
    """A plain e-mail address (RFC 5321), its domain as the A-label that every relay takes."""
    from email_validator import EmailNotValidError, validate_email

    try:
        found = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        raise refused() from None
    return f"{found.local_part}@{found.ascii_domain}"


def bounce_address(text: str) -> str:
    """An e-mail address with room for a detail before the @."""
    address = mail_address(text)
    if len(address.rpartition("@")[0]) > LONGEST_BOUNCE_NAME:
        raise refused(
            f"an e-mail address with at most {LONGEST_BOUNCE_NAME} characters before the @"
        )
    return address


def split_sender(text: str) -> tuple[str | None, str]:
    """`Name <address>`, or only an address, in its two parts. Raises what `refused` makes."""
    found = re.fullmatch(r"\s*(.*?)\s*<([^<>]*)>\s*", text, re.DOTALL)
    if not found:
        return None, mail_address(text)
    name = found[1]
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return (line(name) if name else None), mail_address(found[2])


def sender(text: str) -> str:
    """A sender that `split_sender` takes apart, as it was given."""
    split_sender(text)
    return text
