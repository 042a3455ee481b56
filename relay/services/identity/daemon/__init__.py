"""What a role of `hutong identity serve` is to the server, and what all roles share: requests read, refusals said."""
