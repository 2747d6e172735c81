"""Copies of the tables and of the archived readings, for other programs."""
