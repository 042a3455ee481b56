"""The S3 door of a gateway: the subset that docs/spec/storage-s3.md names, and NotImplemented for the rest."""
