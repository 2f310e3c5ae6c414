"""From a stream of rows to shards within the provider's limits."""
