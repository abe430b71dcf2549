"""What the tests of the sender share: settings that point at a server here, and a message."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from digest.config.settings import Security, SmtpSettings
from digest.sender import loop

Run = Callable[[Coroutine[Any, Any, None]], None]
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
        } | changes
        values.setdefault("timeout_after_data", values["timeout"])
        return SmtpSettings(port=port, **values)

    return build


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Runs a coroutine on either loop: what they do with written octets is theirs alone."""
    if request.param == "asyncio":
        return asyncio.run
    pytest.importorskip("uvloop")
    return loop.run


@pytest.fixture
def trusted() -> ssl.SSLContext:
    """Trusts our test authority, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(CERTIFICATES / "authority.pem")
    return context
