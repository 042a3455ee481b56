"""What every HTTP server of hutong stands on: bounds, keys, rates, problems, and the front before its routers."""
