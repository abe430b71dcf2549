"""For all tests: what a skip means in CI, and that Ctrl-C means something everywhere."""

import os
import signal
from collections.abc import Generator

import pytest

#: How a test says that it wants a program of the system; `.ci/run` installs what they name.
WANTED = "needs the Debian package"


# A shell that runs us in the background makes us ignore Ctrl-C, and what we start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test may not be skipped for want of a package: then `.ci/run` is incomplete."""
    report = yield
    if report.skipped and os.environ.get("CI") and WANTED in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
