"""Commands of whoever runs a relay, an API, an attestor or a development chain."""
