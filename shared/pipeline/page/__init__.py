"""What the page shows and does: a folder's files, their recipe, and the jobs that come of them."""
