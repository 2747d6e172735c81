"""The checks of a set-up: each yields findings and changes nothing."""
