"""What the tests of the sender share: settings that point at a server here, and a message."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from digest.config.settings import Security, SmtpSettings

T = TypeVar("T")
CERTIFICATES = Path(__file__).parent / "certificates"


@pytest.fixture
def settings() -> Callable[..., SmtpSettings]:
    """Settings for a server on loopback. The timeout is short: no test waits for a good reason."""

    def build(port: int, **changes: Any) -> SmtpSettings:
        values: dict[str, Any] = {
            "host": "127.0.0.1",
            "security": Security.NONE,
            "connections": 1,
            "timeout": 5.0,
        }
        return SmtpSettings(port=port, **(values | changes))

    return build


@pytest.fixture
def trusted() -> ssl.SSLContext:
    """Trusts our test authority, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(CERTIFICATES / "authority.pem")
    return context
