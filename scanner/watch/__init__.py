"""Watch interfaces for weeks: the sensor that captures, listens, and keeps the inventory."""
