"""The page: headline, warnings, sections, and the template that they fill."""
