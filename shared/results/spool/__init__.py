"""One attempt's result lines, each found by its row: what counts of them, and what they used."""
