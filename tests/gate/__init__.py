"""The gate of a commit (`.ci/run`), all other proofs (`.ci/whole`) and the way onto main (`.ci/land`). Standard library alone."""
