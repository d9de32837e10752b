"""Makes the page of a report: headline, warnings, sections, and the template they fill."""
