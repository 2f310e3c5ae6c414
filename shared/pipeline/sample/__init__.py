"""A few rows asked in real time before a job is sent, to know what it will cost."""
