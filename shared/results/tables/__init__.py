"""Results that are made as a whole when a job closes, from its JSONL parts: Parquet, workbooks."""
