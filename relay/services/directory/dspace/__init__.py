"""`hutong directory serve`: a connector of the Dataspace Protocol 2025-1, provider and consumer in one process."""
