"""Find where a force's employees appear in its records, and explain every link."""

__version__ = "0.1.0"
