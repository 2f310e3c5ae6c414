"""Answers that rows get which were not sent: of their own shard, or of an earlier job."""
