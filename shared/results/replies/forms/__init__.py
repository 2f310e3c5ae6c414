"""What an answer says, whatever form it came in."""
