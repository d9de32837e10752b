"""`python -m studies.cli` is `rpu-ssnn`."""

from studies.cli.app import main

main()
