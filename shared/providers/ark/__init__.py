"""Volcengine Ark's batch inference, which reads its input from TOS and writes its results there."""
