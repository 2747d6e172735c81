"""Words that all other folders use: days, datasets, records, paths, files."""
