"""Real runs of the command line that are killed at every kind of moment, and what must be true of them."""
