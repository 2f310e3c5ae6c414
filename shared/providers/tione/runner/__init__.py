"""What runs in the user's container; it is copied there as it is."""
