"""What services share whose calls are actions, signed, at one address: Ark and TI-ONE."""
