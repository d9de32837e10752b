"""`rpu-ssnn`, and `python -m studies.cli`: signals are handled before anything slow is imported."""

import sys

from rpu_ssnn.common.errors import RpuSsnnError
from studies.common import interrupts


def main() -> None:
    """Runs `rpu-ssnn`."""
    with interrupts.ending_the_command():
        try:
            # An exception in the middle of a compiled library's start can abort Python.
            with interrupts.deferred():
                from studies.cli.app import main as command
            command()
        except RpuSsnnError as error:  # the import found a fault of the user's own update rule
            from studies.cli.output import stop

            stop(str(error), error.exit_code)
        except BaseException as error:
            if not interrupts.heard():
                raise
            if not isinstance(error, SystemExit):
                print("interrupted", file=sys.stderr)
            # What an interrupt left half imported or half compiled can crash the end of Python.
            interrupts.leave()


if __name__ == "__main__":
    main()
