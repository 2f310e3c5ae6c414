"""A local Bailian: files, batches and answers over real HTTP, with the recorded oddities of the real service."""
