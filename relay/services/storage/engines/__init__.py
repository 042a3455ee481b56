"""Where an operator's shards lie: a folder, or a bucket of any S3 engine, each made durable before anything is receipted."""
