"""Models of many parts, ordered one after the other through the jobs' own service."""
