"""The ICS26Router ABI over the execution API: what the `evm` and `hub` adapters have in common."""
