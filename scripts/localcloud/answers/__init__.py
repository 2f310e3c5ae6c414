"""Who answers the rows of a local provider, and how the answers are kept until its batch ends."""
