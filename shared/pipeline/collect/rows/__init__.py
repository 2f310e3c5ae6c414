"""What each row of an ended batch gets, and the part of the result that is made of it."""
