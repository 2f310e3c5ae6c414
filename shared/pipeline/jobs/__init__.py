"""Whole jobs: resume, close, cancel, retry, and what their people are told."""
