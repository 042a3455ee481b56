"""Making proof bundles and checkpoints: from the archive, and from the chains where the archive has gaps."""

from hutong.relay.core.archiving.bundling.checkpoint import read_checkpoint, read_log_checkpoint
from hutong.relay.core.archiving.bundling.export import Exporter, NotExportable

__all__ = ["Exporter", "NotExportable", "read_checkpoint", "read_log_checkpoint"]
