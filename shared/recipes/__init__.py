"""What ``batch.yaml`` says: its model, its reader, prompts, and columns of answers."""
