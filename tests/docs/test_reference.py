import subprocess
import sys
from pathlib import Path

from digest.config import shape
from digest.config.schema import File

ROOT = Path(__file__).parents[2]


def test_the_reference_pages_say_what_the_code_says() -> None:
    command = [sys.executable, "tools/reference.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_every_key_is_described() -> None:
    def undescribed(annotation: object, path: tuple[str, ...]) -> list[str]:
        table = shape.bare(annotation)
        while not shape.is_table(table) and shape.below(table, 0) is not None:
            table = shape.bare(shape.below(table, 0))
        if not shape.is_table(table):
            return []
        missing = [
            ".".join((*path, key))
            for key, field in shape.keys(table).items()
            if path and not field.description
        ]
        for key, field in shape.keys(table).items():
            missing += undescribed(shape.annotation_of(field), (*path, key))
        return missing

    assert undescribed(File, ()) == []
