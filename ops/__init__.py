"""The `kogge` command, the supervisor and the demo: what an operator holds in hand."""
