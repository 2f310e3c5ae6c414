"""Links to the page, made and withdrawn by the operator."""
