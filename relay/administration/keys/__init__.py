"""Keys of a configuration or a folder: their accounts, and whether what holds them would sign."""
