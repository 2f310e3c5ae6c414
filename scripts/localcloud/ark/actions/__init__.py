"""What each action of Ark's job API does."""
