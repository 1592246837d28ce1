"""A lab for what sizes tell: many servers' sentences, many programs, and the truth as the servers saw it."""
