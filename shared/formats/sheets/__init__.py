"""The XML of a workbook's sheets: its parts, what a scan sees of it, and a copy to read."""
