"""What the timer repairs, one kind in each module."""
