"""Floor 5: observations and verdicts as records, and records as text."""
