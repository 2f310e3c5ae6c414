"""What a job is to cost, said before anything of it is sent, and approved where it must be."""
