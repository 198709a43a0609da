"""The strategies that ship: each file is one strategy, written in the words any author has."""
