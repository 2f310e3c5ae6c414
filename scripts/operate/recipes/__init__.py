"""Commands about recipes, on files of this machine."""
