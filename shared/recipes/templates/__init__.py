"""What stands in prompt templates: their sandbox, the columns that they use, and likely slips."""
