"""Who may see which folder: signed links without accounts, and what lies within a folder."""
