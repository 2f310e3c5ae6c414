"""A local Ark over real HTTP: batch inference jobs that read and write the local storage."""
