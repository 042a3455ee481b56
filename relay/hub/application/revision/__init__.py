"""Which rules a hub runs: versions, libraries, the sentences that old versions recorded."""
