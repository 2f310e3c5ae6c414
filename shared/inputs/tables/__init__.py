"""Tables: which row is the header, what is dropped, and how a row becomes a request."""
