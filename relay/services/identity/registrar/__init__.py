"""Who keeps persons' leaves: files that anybody rebuilds from a hub's blocks, and what they prove and prepare."""
