"""The Parquet days: written, proven, compared with what was there, put in place."""
