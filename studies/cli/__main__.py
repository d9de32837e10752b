"""Starts `rpu-ssnn` and `python -m studies.cli`, and handles signals before any slow import."""

import sys

from rpu_ssnn.common.errors import RpuSsnnError
from studies.common import interrupts


def main() -> None:
    """Runs `rpu-ssnn`."""
    with interrupts.ending_the_command():
        try:
            # An exception while a compiled library is being loaded can abort Python.
            with interrupts.deferred():
                from studies.cli.app import main as command
            command()
        except RpuSsnnError as error:  # the user's update rule, which the import reads, is bad
            from studies.cli.output import stop

            stop(str(error), error.exit_code)
        except BaseException as error:
            if not interrupts.interrupted():
                raise
            if not isinstance(error, SystemExit):
                print("interrupted", file=sys.stderr)
            # Modules that an interrupt left half imported or compiled can crash Python at its end.
            interrupts.leave()


if __name__ == "__main__":
    main()
