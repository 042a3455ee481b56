"""`hutong identity serve`: the roles that a configuration names, behind one port."""
