"""From an ended batch to settled rows."""
