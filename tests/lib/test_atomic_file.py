import os
import stat
from pathlib import Path

import pytest

from digest.lib.atomic_file import creating, owner_only, replacing, temporary_beside


def test_a_file_is_replaced_when_everything_is_written_and_not_before(tmp_path: Path) -> None:
    target = tmp_path / "out.html"
    target.write_text("old")
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    with pytest.raises(OSError, match="full"), replacing(target) as temporary:
        temporary.write_text("broken")
        raise OSError("full")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_file_never_takes_the_place_of_another_one(tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    with creating(target) as temporary:
        temporary.write_text("first")
        assert not target.exists()
    with pytest.raises(FileExistsError), creating(target) as temporary:
        temporary.write_text("second")
    assert target.read_text() == "first"
    assert list(tmp_path.iterdir()) == [target]


def test_temporary_files_of_one_target_are_hidden_and_do_not_meet(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with temporary_beside(target) as one, temporary_beside(target) as other:
        assert one != other
        assert {one.parent, other.parent} == {tmp_path}
        assert one.name.startswith(".")


def test_a_file_may_be_its_owners_alone(tmp_path: Path) -> None:
    private = tmp_path / "readers.csv"
    with open(private, "x", opener=owner_only) as file:
        file.write("email")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        owner_only(str(private), os.O_CREAT | os.O_EXCL)
