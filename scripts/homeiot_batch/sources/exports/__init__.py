"""How an export is read: its files, its lines, what it covers."""
