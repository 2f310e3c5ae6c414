"""What would stop a deployment: rights, services, keys, and the one line that mends each."""
