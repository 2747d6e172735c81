"""A house over many nights in which everything that can go wrong does, and nothing may be lost."""
