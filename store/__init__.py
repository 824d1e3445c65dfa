"""The only SQL: one `Store` per city, plain functions over a connection, Alembic migrations.

Nothing here decides anything: it loads and saves what `hotspot/` means.
"""
