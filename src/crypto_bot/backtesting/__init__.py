"""Replays the archive through the kernel, then measures, judges and shows what came out."""
