"""Buckets and objects on the disk, and the index that describes them."""
