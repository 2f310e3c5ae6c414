"""What starts functions: buses, topics, timers, and deliveries that go wrong."""
