"""Floor 0: what is known of the world outside, as data with sources and dates."""
