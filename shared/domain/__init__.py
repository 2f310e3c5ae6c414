"""Pure: no SDK, no environment, no clock, no randomness, no logging."""
