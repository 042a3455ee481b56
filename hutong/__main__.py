"""`python -m hutong`: the same as the command `hutong`."""

from hutong.relay.cli.main import main

if __name__ == "__main__":  # processes that the audit spawns read this module too
    main()
