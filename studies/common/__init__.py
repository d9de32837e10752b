"""What all of `studies` needs: command-line choices, statistics, YAML, error sentences."""
