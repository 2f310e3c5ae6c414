"""The texts of the problems: one entry a code, one file for each thing that may be wrong."""
