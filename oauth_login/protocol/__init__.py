"""The rules of the standards: pure functions, no I/O, no clock, no Django."""
