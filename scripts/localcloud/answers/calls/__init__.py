"""The calls to an upstream: one loop, its connections, and what comes over them."""
