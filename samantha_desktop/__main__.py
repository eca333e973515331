"""The `samantha` command."""

from __future__ import annotations

import multiprocessing
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    multiprocessing.freeze_support()
    # Imported here, since every engine's process imports this module again.
    from samantha_desktop.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
