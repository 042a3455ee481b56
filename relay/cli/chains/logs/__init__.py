"""Commands about clients of signed logs."""
