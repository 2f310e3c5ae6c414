"""What tells us that something happened: OSS events, messages, callbacks, signed events."""
