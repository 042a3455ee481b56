"""One connection between two validators: keys, TLS, frames, messages."""
