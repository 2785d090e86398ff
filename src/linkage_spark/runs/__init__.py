"""The only place with I/O decisions: one module per kind of run, and what they share."""
