"""Files of real chains judged offline: what `hutong verify` reads, and by which rules it judges."""
