"""Makes the page of a report from headline, warnings, sections and a template."""
