"""What listens on 127.0.0.1, whatever it answers."""
