"""What the tests of the sender share: settings that point at a server here, and a message."""

import asyncio
import ssl
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from digest.config.settings import Security, SmtpSettings
from digest.sender import event_loop
from tests.sender.silence import LONG_ENOUGH

Run = Callable[[Coroutine[Any, Any, None]], None]
CERTIFICATES = Path(__file__).parent / "certificates"


@pytest.fixture
def settings() -> Callable[..., SmtpSettings]:
    """Settings for a server on loopback. No test waits for a timeout that it has not set itself."""

    def build(port: int, **changes: Any) -> SmtpSettings:
        values: dict[str, Any] = {
            "host": "127.0.0.1",
            "security": Security.NONE,
            "connections": 1,
            "timeout": LONG_ENOUGH,
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
    return event_loop.run


@pytest.fixture
def trusted() -> ssl.SSLContext:
    """Trusts our test authority, and nothing else."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(CERTIFICATES / "authority.pem")
    return context
