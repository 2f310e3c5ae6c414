"""What tells us that something happened: OSS events, batch ids in messages, signed callbacks, signed events."""
