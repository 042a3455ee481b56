"""Objects: content ids, canonical DAG-CBOR, manifests and sealed records (docs/spec/storage-manifest.md)."""
