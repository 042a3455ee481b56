"""`python -m relay.cli` is `hutong`."""

from relay.cli.main import main

if __name__ == "__main__":  # processes that the audit spawns read this module too
    main()
