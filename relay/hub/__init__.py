"""The hub chain: state tree, consensus, application and node."""
