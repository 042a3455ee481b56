"""EVM chains under proof of authority by Clique."""
