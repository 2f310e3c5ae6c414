"""The Function Compute shim: context, triggers, settings, logs."""
