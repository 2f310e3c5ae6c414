"""CSV as records, and records as CSV."""
