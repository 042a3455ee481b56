"""`hutong storage repairer`: shards that are lost are rebuilt from others, and held by another operator under the same root."""
