"""The local cloud: OSS, Bailian, triggers and function workers on 127.0.0.1."""
