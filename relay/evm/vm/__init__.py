"""The machine: transactions and calls executed, gas counted, rules by version."""
