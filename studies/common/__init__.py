"""What all of `studies` needs: command-line choices, statistics, error sentences."""
