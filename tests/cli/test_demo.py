"""`digest demo` is ended by Ctrl-C as `digest send` is."""

import os
import signal
from collections.abc import Iterator
from functools import partial
from itertools import chain, repeat
from pathlib import Path

import pytest

from digest.cli.console import Exit
from digest.publishing import demo
from digest.sender.local_server import LocalServer
from tests.cli.conftest import Run


def test_ctrl_c_ends_the_sending_in_order(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    signals: Iterator[int] = chain([signal.SIGINT], repeat(0))
    server = partial(LocalServer, on_message=lambda _: os.kill(os.getpid(), next(signals)))
    monkeypatch.setattr(demo, "LocalServer", server)
    ran = run("demo", "--dir", tmp_path / "demo")
    assert ran.code == Exit.INCOMPLETE
    assert "stopping after the messages being sent now" in ran.err
    assert "error: not every reader got exactly one message: " in ran.err
    assert " of 19 active readers have exactly one message with both parts." in ran.out
    assert "\n19 of 19 active readers" not in ran.out
    assert run("--config", tmp_path / "demo" / "digest.toml", "status").code == Exit.INCOMPLETE
