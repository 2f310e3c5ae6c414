"""The texts of the problems, one entry a code, in one file for each thing that is wrong."""
