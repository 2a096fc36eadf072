"""What is claimed about speed, runnable: `make bench`, or one module at a time with python -m."""
