"""How many tokens request lines have, estimated while they stream by."""
