"""`homeiot init`: what a source holds, which meters it may be, and the file for that."""
