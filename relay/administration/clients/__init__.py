"""Acts on one light client: made, brought on, frozen, recovered, and its attestors replaced."""
