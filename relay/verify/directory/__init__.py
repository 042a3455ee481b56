"""Files of the data directory, judged offline."""
