"""JSON: read by named policies, checked quickly, and written compactly or as a row's cells."""
