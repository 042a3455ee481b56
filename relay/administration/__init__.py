"""Acts of administrators on chains: paths, recoveries, transfers of an account, one transaction at a time."""
