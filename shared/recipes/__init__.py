"""What ``batch.yaml`` says: its model, its reader, prompts, and the columns that are taken from answers."""
