"""TOS over HTTP: where requests say what they are about, and how they are answered."""
