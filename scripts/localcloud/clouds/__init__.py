"""Other clouds inside the local one, each with a store and the provider that works over it."""
