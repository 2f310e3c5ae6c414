"""COS's operations: a table, and those that only COS has."""
