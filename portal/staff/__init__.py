"""The pages of a city's staff: log-in, sessions, access points, vouchers, audit log."""
