"""A hub node as a process: started, wired, halted."""
