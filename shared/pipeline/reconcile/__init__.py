"""The timer's work: start again whatever is overdue, under any prefix."""
