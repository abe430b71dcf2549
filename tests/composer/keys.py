"""Keys for signatures, made anew for each run: no private key is kept in the repository."""

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from digest.config import DkimSettings


@cache
def rsa_pem(bits: int = 2048) -> bytes:
    """An RSA key, the same one throughout a run."""
    key = generate_private_key(public_exponent=65537, key_size=bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@cache
def ed25519_pem(password: bytes | None = None) -> bytes:
    """An Ed25519 key, the same one throughout a run."""
    key = Ed25519PrivateKey.generate()
    locked = BestAvailableEncryption(password) if password else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked)


def write(path: Path, pem: bytes, mode: int = 0o600) -> Path:
    """A key file as `openssl genpkey` leaves it."""
    path.write_bytes(pem)
    path.chmod(mode)
    return path


def both_keys(folder: Path, *, domain: str | None = None) -> DkimSettings:
    """Settings with a key of either kind, whose files are in the folder."""
    return DkimSettings(
        domain=domain,
        selector="r1",
        key_file=write(folder / "rsa.pem", rsa_pem()),
        ed25519_selector="e1",
        ed25519_key_file=write(folder / "ed25519.pem", ed25519_pem()),
    )
