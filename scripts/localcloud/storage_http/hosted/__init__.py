"""What TOS and COS do alike, whose buckets stand in the host's name: all but their own words."""
