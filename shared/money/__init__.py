"""What a job costs: amounts, prices as dated data, estimated tokens, the quote and the bill."""
