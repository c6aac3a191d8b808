"""Parts of the end-to-end tests on real software: a control plane, a recorder
of the truth, and the exporter and Prometheus as processes."""
