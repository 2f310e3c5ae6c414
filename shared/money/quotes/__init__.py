"""What a job is to cost, by what was counted and by its sample, and the words for it."""
