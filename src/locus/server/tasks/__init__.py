"""Tasks: the rules of their life, their rows, and the requests that people make about them."""
