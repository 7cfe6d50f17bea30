"""A real OpenID provider for tests, with faults by name."""
