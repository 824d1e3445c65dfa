"""HTTP in, HTTP out: residents (`captive/`), staff (`staff/`) and officials (`report/`) of each city."""
