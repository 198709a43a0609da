"""Replay the archive through the kernel, and say honestly what came of it."""
