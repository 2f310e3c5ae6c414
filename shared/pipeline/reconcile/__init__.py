"""The timer's work: whatever is overdue in any prefix is brought up again."""
