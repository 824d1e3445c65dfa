"""The officials' pages: a month in figures."""
