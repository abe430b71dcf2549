"""How long whole processes take: `digest --help`, and `digest preview` of the sample.

    python benchmarks/starting.py

The reference, in the same run, is a Python that does nothing. Each figure is the median of several
runs after one that warms the caches of the file system.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from digest.sample import copy_to

ROUNDS = 9


def median(command: Sequence[str], folder: Path) -> float:
    """Seconds."""
    times = []
    for _ in range(ROUNDS + 1):
        begin = time.perf_counter()
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        times.append(time.perf_counter() - begin)
    return statistics.median(times[1:])


def main() -> None:
    digest = str(Path(sys.executable).with_name("digest"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_to(folder)
        nothing = median([sys.executable, "-c", "pass"], folder)
        help_ = median([digest, "--help"], folder)
        preview = median([digest, "preview", "--at", "2026-03-12T07:00Z"], folder)
    print(f"python -c pass    {nothing:5.2f} s")
    print(f"digest --help     {help_:5.2f} s   ratio {help_ / nothing:5.1f}   (to reach: 0.3 s)")
    print(
        f"digest preview    {preview:5.2f} s   ratio {preview / nothing:5.1f}   (to reach: 1.5 s)"
    )


if __name__ == "__main__":
    main()
