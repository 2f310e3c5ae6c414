"""Where everything lies in the bucket and what it says: keys, records, tickets."""
