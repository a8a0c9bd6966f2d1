"""The migrations in order, one module each. Code that runs them does not belong here."""
