"""What can be wrong, who must act, and the words for it, in Chinese and English."""
