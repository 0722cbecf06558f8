"""One run by several processes, one on each host: how it is asked for, and how the others are started."""
