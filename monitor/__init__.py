"""SNMP in, Prometheus out, and the scheduled jobs. Imports neither portal nor radius."""
