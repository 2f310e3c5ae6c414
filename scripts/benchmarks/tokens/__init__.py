"""How far the estimate of tokens is off from what the vendor's own vocabulary counts."""
