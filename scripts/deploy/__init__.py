"""From a checkout to a stack on Alibaba Cloud, to the next version, back, and away again."""
