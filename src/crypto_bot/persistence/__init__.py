"""What is remembered: runs, the journal of every event, snapshots. One process writes, others read."""
