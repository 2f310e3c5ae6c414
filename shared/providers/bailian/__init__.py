"""Alibaba Cloud Bailian as a batch provider: client, wire, errors, profile."""
