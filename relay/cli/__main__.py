"""`python -m relay.cli` is `hutong`."""

from relay.cli.main import main

main()
