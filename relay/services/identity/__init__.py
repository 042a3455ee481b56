"""Digital identity: credentials that organisations issue, people hold, and verifiers and contracts judge."""
