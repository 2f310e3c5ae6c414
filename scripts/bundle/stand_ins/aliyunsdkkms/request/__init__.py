"""Stands in for the package of KMS's requests."""
