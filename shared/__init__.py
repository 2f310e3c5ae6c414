"""Everything that ships besides the function entry points."""
