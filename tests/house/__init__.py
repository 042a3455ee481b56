"""The rules of style that a script can check, and the figures of the house: `python -m tests.house`."""
