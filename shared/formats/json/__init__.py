"""JSON: read by named policies, checked quickly, and written as the cells of a row."""
