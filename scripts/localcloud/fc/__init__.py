"""Function Compute: events that wait, and the door for HTTP; its processes are in `workers`."""
