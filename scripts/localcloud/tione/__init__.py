"""The local TI-ONE: batch prediction and training tasks whose containers are processes."""
