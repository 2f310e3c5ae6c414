"""What jobs used and cost, added up."""
