"""What of the S3 protocol decides whether a request may do what it asks (docs/spec/storage-s3.md)."""
