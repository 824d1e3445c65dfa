"""UDP in, UDP out: RADIUS authentication, accounting and dynamic authorization."""
