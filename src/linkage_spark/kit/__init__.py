"""Helpers for Spark and Python that know nothing of persons or police."""
