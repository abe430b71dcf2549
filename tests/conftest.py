"""For all tests: what a skip means in CI."""

import os
from collections.abc import Generator

import pytest

#: How a test says that it wants a program of the system; `.ci/run` installs what they name.
WANTED = "needs the Debian package"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test may not be skipped for want of a package: then `.ci/run` is incomplete."""
    report = yield
    if report.skipped and os.environ.get("CI") and WANTED in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
