"""The files of a folder: which there are, and how far the job of each is."""
