"""What the rules call, and what a run does before and after them."""
