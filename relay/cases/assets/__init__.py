"""What cases hold and move: titles, tokens, and who has them."""
