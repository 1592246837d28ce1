"""Speed and memory, as ratios to peers on the same captures."""
