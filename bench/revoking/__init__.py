"""`python -m bench identity revoke`: how soon a revocation is refused by gates on other chains, and never accepted after."""
