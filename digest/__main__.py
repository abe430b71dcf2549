"""`digest` and `python -m digest`."""

import sys


def main() -> None:
    """Run the command line; Ctrl-C is no error, not even while the program is being loaded."""
    try:
        from digest.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
