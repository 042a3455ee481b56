"""What the API answers and takes, as docs/spec/api.md has it."""
