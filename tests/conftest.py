"""For all tests: the same examples each time, what a skip means in CI, and what Ctrl-C means."""

import os
import signal
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

#: How a test says that it wants a program of the system; `.ci/run` installs what they name.
WANTED = "needs the Debian package"


# What a change has to pass is the same for everybody and every time, and no race against a clock:
# a machine may be as slow as it likes. To look for what nobody has thought of:
# `pytest --hypothesis-profile=explore --hypothesis-seed=random`.
settings.register_profile(
    "explore", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=1000
)
settings.register_profile(
    "gate", settings.get_profile("explore"), max_examples=100, derandomize=True, database=None
)
settings.load_profile("gate")

# A shell that runs us in the background makes us ignore Ctrl-C, and what we start inherits that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config: pytest.Config) -> None:
    """Python 3.12 and newer warn of each fork beside a thread, as every worker of xdist has one.

    What our tests fork leaves by `os._exit` or is killed, and shares nothing with those threads.
    """
    config.addinivalue_line("filterwarnings", "ignore:.*use of fork:DeprecationWarning")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a test may not be skipped for want of a package: then `.ci/run` is incomplete."""
    report = yield
    if report.skipped and os.environ.get("CI") and WANTED in str(report.longrepr):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
