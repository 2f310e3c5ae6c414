"""HTTP as every service that keeps objects speaks it: connections, bodies, conditions, faults."""
