"""Tests of the second copy."""
