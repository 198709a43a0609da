"""What a command prints: one JSON object, or lines for people."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout


@contextmanager
def kept_for_the_answer(args: argparse.Namespace) -> Iterator[None]:
    """With --json, keep stdout for the one object: what a strategy of the user's own prints goes to stderr."""
    if not args.json:
        yield
        return
    args.stdout = sys.stdout
    with redirect_stdout(sys.stderr):
        yield


def show(args: argparse.Namespace, document: object, lines: Iterable[str]) -> None:
    """Print the document with --json, else the lines."""
    if args.json:
        print(json.dumps(document, allow_nan=False, ensure_ascii=False), file=getattr(args, "stdout", None))
        return
    for line in lines:
        print(line)


def columns(rows: Sequence[Sequence[str]], *, gap: str = "  ") -> list[str]:
    """Set rows of text in columns, each as wide as its widest cell; the last one is left ragged."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    padded = ([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows)
    return [gap.join(row).rstrip() for row in padded]
