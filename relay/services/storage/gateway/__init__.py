"""The gateway: objects in by S3 or plain HTTP, packs out to operators, batches to the hub, and back (docs/storage-gateway.md)."""
