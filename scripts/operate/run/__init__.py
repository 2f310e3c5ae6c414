"""One file from this machine through a bucket and back."""
