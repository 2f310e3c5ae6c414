"""Volcengine Ark's batch inference, which reads and writes TOS."""
