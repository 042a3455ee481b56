"""The relay's core: from events on one chain to proven messages on another.

`run_daemon` (hutong.relay.core.daemon) is the process, `Relay` (hutong.relay.core.relay) the task tree over given services.
"""
