"""The second copy of a house in another place: written, proven and restored."""
