"""What a recipe may name instead of writing a prompt: classify, extract, translate, embed."""
