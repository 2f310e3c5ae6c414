"""From a provider's result lines to the result file: answers, verdict, CSV, JSONL, tables."""
