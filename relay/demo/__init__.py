"""`hutong demo`: the whole lane on one machine, made of the same commands that an operator types."""
