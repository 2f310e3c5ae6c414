"""Function Compute: workers, invocations, and the door for HTTP."""
