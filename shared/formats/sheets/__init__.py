"""Workbooks and Parquet as records of text cells."""
