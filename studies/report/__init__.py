"""Shows results as text, tables, figures and one HTML report."""
