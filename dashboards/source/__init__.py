"""The dashboards as code; ../generate writes them as JSON."""
