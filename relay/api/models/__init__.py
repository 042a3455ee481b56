"""What the API takes, as docs/spec/api.md has it; what it answers is in `hutong.relay.schemas`."""
