"""From the answers of a closed job to the rows of a later one that ask the same."""
