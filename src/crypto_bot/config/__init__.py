"""What the user may set: one frozen object read once, the modes it stands for, and the log.

Text from files, flags and the environment is judged here and nowhere else; no other room reads the environment
for a setting. Nothing here trades, and nothing here is imported by the kernel.
"""
