"""What becomes of a job that still waits when a later version of its file is dropped."""
