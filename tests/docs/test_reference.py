import subprocess
import sys
from pathlib import Path

from digest.config import key_paths
from digest.config.schema import File
from tools.reference import descriptions

ROOT = Path(__file__).parents[2]


def test_the_reference_pages_say_what_the_code_says() -> None:
    command = [sys.executable, "tools/reference.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_every_key_is_described() -> None:
    def undescribed(annotation: object, path: tuple[str, ...]) -> list[str]:
        table = key_paths.bare(annotation)
        while not key_paths.is_table(table) and key_paths.below(table, 0) is not None:
            table = key_paths.bare(key_paths.below(table, 0))
        if not key_paths.is_table(table):
            return []
        described = descriptions(table)
        missing = [
            ".".join((*path, key))
            for key, field in key_paths.keys(table).items()
            if path and field.name not in described
        ]
        for key, field in key_paths.keys(table).items():
            missing += undescribed(field.type, (*path, key))
        return missing

    assert undescribed(File, ()) == []
