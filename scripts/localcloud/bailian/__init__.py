"""A local Bailian over real HTTP: files, batches, answers, and the recorded oddities."""
