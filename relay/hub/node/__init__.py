"""The process around consensus and application: storage, timers, keys, RPC."""
