"""The source of the dashboards; ../generate writes them as JSON."""
