"""What the commands share: options, keys, refusals, and how a verdict is printed."""
