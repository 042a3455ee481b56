"""What organisations may do with their DIDs, keys, accreditations, lists and logs: rules over records, without a store."""
