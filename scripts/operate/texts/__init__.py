"""What ``scripts/batchdrop`` says, in Chinese and English."""
