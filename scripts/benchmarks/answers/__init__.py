"""The local Bailian alone: what a row's answer costs, and what it gets out of an upstream."""
