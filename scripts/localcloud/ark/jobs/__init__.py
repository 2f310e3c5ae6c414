"""What becomes of a job: its memory, its phases, its rows and its files."""
