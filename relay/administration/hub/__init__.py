"""Acts on a hub by its admins or by the operators of its validators, and what it says to them."""
