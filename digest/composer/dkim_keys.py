"""Keys that sign messages: read from PEM files, and told to the world as DNS records.

RSA (RFC 8301) is what every receiver verifies; Ed25519 (RFC 8463) is a second, small one.
"""

import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from digest.config import DkimSettings
from digest.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_LARGEST_FILE: Final = 65_536
_OPEN_TO_OTHERS: Final = 0o006
_SMALLEST_RSA: Final = 2048
_LARGEST_RSA: Final = 4096  # RFC 8301 section 3.2: what a receiver surely verifies

#: RFC 1035 section 3.3: a TXT record is made of strings of at most so many octets.
_TXT_STRING: Final = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """A private key. `sign` makes a signature of a SHA-256 digest, from any thread.

    `kind` is rsa or ed25519, `name` that with its size; `public` is the public key as DNS has it.
    `verify` takes signature and digest, and raises InvalidSignature (of cryptography).
    """

    selector: str
    kind: str
    name: str
    public: str
    sign: Callable[[bytes], bytes] = field(repr=False, compare=False)
    verify: Callable[[bytes, bytes], None] = field(repr=False, compare=False)

    @property
    def algorithm(self) -> str:
        """The a= of a signature."""
        return f"{self.kind}-sha256"

    @property
    def record(self) -> str:
        """The value of the TXT record at `SELECTOR._domainkey.DOMAIN`."""
        return f"v=DKIM1; k={self.kind}; p={self.public}"


def txt_strings(record: str) -> tuple[str, ...]:
    """The value of a TXT record in strings that DNS can hold; whoever reads it joins them."""
    starts = range(0, len(record), _TXT_STRING)
    return tuple(record[start : start + _TXT_STRING] for start in starts)


def tags_of(text: str) -> dict[str, str]:
    """The tags of a record or of a signature (RFC 6376 section 3.2), white space taken out."""
    tags = (tag.partition("=") for tag in re.sub(r"\s", "", text).split(";"))
    return {name: value for name, _, value in tags}


def signing_keys(settings: DkimSettings) -> tuple[SigningKey, ...]:
    """The keys that sign: RSA, then Ed25519 where there is one. This takes some 0.1 s.

    Raises ConfigError for a key that cannot be read, or that others could read.
    """
    keys = [_rsa(settings.selector, "dkim.key_file", settings.key_file)]
    if settings.ed25519_selector and settings.ed25519_key_file:
        key_file = settings.ed25519_key_file
        keys.append(_ed25519(settings.ed25519_selector, "dkim.ed25519_key_file", key_file))
    return tuple(keys)


def _private_key(where: str, path: Path) -> "PrivateKeyTypes":
    """The key in a file; `where` is its setting and its path, for messages."""
    pem = _read(where, path)
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError:
        raise ConfigError(
            "[dkim] signs with the package cryptography, which is not installed",
            hint="Install digest with its extra: pip install 'digest[dkim]'",
        ) from None
    try:
        return load_pem_private_key(pem, password=None)
    except TypeError:
        raise ConfigError(
            f"{where} is encrypted, and digest cannot ask for its password while it runs",
            hint="Write it without one: openssl pkey -in KEY -out NEW. The permissions"
            " of the file protect it.",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(
            f"{where} holds no private key in PEM form, expected -----BEGIN PRIVATE KEY-----",
            hint=f"Make one: openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048"
            f" -out {path.name}",
        ) from None


def _read(where: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            mode = path.stat().st_mode
            pem = file.read(_LARGEST_FILE)
    except OSError as error:
        raise ConfigError(f"{where} cannot be read: {error.strerror}") from error
    if mode & _OPEN_TO_OTHERS:
        raise ConfigError(
            f"{where} is open to every account on this machine (mode {mode & 0o777:o}):"
            " whoever reads it can sign as you",
            hint=f"Keep it to yourself: chmod 600 {path}",
        )
    return pem


def _rsa(selector: str, setting: str, path: Path) -> SigningKey:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    where = f"{setting} {path}"
    key = _private_key(where, path)
    if not isinstance(key, RSAPrivateKey) or not _SMALLEST_RSA <= key.key_size <= _LARGEST_RSA:
        kind = f"RSA of {key.key_size} bits" if isinstance(key, RSAPrivateKey) else "another kind"
        raise ConfigError(
            f"{where} holds a key of {kind}, expected RSA of {_SMALLEST_RSA} to"
            f" {_LARGEST_RSA} bits",
            hint="2048 is what receivers ask for. An Ed25519 key goes into ed25519_key_file.",
        )
    padding, prehashed = PKCS1v15(), Prehashed(SHA256())
    public_key = key.public_key()
    public = public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return SigningKey(
        selector=selector,
        kind="rsa",
        name=f"RSA-{key.key_size}",
        public=b64encode(public).decode("ascii"),
        sign=lambda digest: key.sign(digest, padding, prehashed),
        verify=lambda signature, digest: public_key.verify(signature, digest, padding, prehashed),
    )


def _ed25519(selector: str, setting: str, path: Path) -> SigningKey:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    where = f"{setting} {path}"
    key = _private_key(where, path)
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(
            f"{where} holds another kind of key, expected Ed25519",
            hint="Make one: openssl genpkey -algorithm ED25519 -out KEY",
        )
    # RFC 8463 section 3: PureEdDSA of the SHA-256 digest.
    return SigningKey(
        selector=selector,
        kind="ed25519",
        name="Ed25519",
        public=b64encode(key.public_key().public_bytes_raw()).decode("ascii"),
        sign=key.sign,
        verify=key.public_key().verify,
    )
