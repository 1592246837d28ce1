"""Ask machines what they offer: floor 5, and the only one beside ``capture`` that touches the network."""
