"""What becomes of a task: its memory, its states, its container and the call at its end."""
