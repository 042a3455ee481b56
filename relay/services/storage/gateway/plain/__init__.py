"""The plain HTTP door of a gateway (docs/spec/storage-gateway-api.md)."""
