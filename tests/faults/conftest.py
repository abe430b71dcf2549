"""The newsletter with 10,000 readers: made once, copied for each test."""

from pathlib import Path

import pytest

from tests.faults.gazette import Gazette, stock

pytest.register_assert_rewrite("tests.faults.accounts")


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stocked")
    stock(folder)
    return folder


@pytest.fixture
def gazette(stocked: Path, tmp_path: Path) -> Gazette:
    return Gazette.copied(stocked, tmp_path / "gazette")
