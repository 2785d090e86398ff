"""The summary on the console and the page that opens offline, from a run's figures alone."""
