"""What is open now, for people: model, reader, writer."""
