"""The houses of examples/: how their readings are made, and what is known of their energy."""
