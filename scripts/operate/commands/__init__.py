"""One module for each group of commands: what can be typed, and who does it."""
