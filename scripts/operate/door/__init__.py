"""The program itself: its table of commands, what they share, how it answers and ends."""
