"""What runs in the user's container; nothing here imports it, it is copied as it is."""
