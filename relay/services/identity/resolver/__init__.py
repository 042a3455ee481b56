"""The resolver: W3C DID Resolution over HTTPS, with proof where a hub's records say it."""
