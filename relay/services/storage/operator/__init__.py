"""`hutong storage operator`: shards of others held on an engine, receipted, shown to auditors, and let go by the rules."""
