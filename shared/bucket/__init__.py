"""Where everything lies and what it says: keys, records, tickets, and the one class that reads and writes them."""
