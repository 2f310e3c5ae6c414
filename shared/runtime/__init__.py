"""The Function Compute shim: context, events, HTTP, settings, logs, wiring."""
