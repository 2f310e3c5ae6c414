"""JSON by three policies: strict for what is dropped, quick where it is surely good, lenient for cells."""
