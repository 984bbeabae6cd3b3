"""The command line: one function for each command, and the only place that prints."""
