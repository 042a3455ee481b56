"""`hutong signer`: keys of any source in a process of their own, which signs for others what a policy allows, and writes it down."""
