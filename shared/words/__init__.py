"""What people are told: events, and the words for them in Chinese and English."""
