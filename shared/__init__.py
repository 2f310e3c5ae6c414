"""Everything that ships besides the function entry points."""

# CalVer: year, month, number. It stands in the zips, the log and every record.
VERSION = "26.11.0"
