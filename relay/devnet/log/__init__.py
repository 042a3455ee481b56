"""A signed append-only log for development, with its witnesses, served as C2SP tlog-tiles."""

from hutong.relay.devnet.log.home import LogSettings, open_log
from hutong.relay.devnet.log.node import LogNode, running_log, serve_log

__all__ = ["LogNode", "LogSettings", "open_log", "running_log", "serve_log"]
