"""The command line: a frame, a table of commands, and one module for each command.

A command's module offers `add_arguments(parser)` and `execute(args) -> int`, and imports what is heavy inside its
functions: `--help` answers at once. Only this room speaks to the terminal, and only here adapters meet the runtime.
"""
