"""The dashboards of dashboards/, on the read copy, with the DuckDB that Grafana's plug-in has."""
