"""A run in time: feeds supply events, the journal keeps them, the same kernel decides, the venue answers."""
