"""What models cost: prices as dated data, each with its page and day."""
