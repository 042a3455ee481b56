"""What a gateway does so that packs hold what is of use, and no more."""
