"""How an InfluxDB server is asked, and what it answers."""
