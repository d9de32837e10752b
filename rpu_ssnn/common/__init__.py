"""What every package needs: errors, files, YAML, wording."""
