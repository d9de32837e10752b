"""`rpu-ssnn`, and `python -m studies.cli`: signals are handled before anything slow is imported."""

import sys

from studies.common import interrupts


def main() -> None:
    """Entry point of `rpu-ssnn`."""
    try:
        with interrupts.ending_the_command():
            from studies.cli.app import main as command

            command()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(interrupts.EXIT_CODE)


if __name__ == "__main__":
    main()
