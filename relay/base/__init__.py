"""What every part of the relay stands on: the import path, child processes, files that survive a crash."""
