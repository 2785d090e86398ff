"""Accepted pairs in, clusters of records out."""
