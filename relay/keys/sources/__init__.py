"""The kinds of key sources, one file each; `relay/keys/opening.py` is the table that chooses among them."""
