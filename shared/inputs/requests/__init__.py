"""Request lines: files whose lines are requests already, and the ids of all rows."""
