"""Each role's migrations, a branch for each role."""
