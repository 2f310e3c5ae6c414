"""The page of a folder that holds many files."""
