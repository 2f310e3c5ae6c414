"""What goes into a function's zip: its own modules, and the wheels of what these import."""
