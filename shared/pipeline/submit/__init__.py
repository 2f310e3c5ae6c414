"""From a planned shard to one batch, and only one."""
