"""Measures Batchdrop's data paths against the scripts and the engines that people have today."""
