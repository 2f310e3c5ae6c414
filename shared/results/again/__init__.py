"""Answers that do not fit, and the requests that ask for them once more."""
