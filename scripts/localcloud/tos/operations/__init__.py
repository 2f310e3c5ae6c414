"""TOS's operations, as a table and one module for each kind."""
