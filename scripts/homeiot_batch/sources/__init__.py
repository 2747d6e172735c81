"""Where readings come from: an InfluxDB server, or an export of one."""
