"""Each data path as a function runs it, beside what people use today."""
