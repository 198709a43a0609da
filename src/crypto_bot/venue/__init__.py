"""THE EXCHANGE'S SIDE, simulated: accepts orders, matches them against bars, charges fees.

Pure, like the kernel, and on the other side of the port: it sees effects and returns reports.
"""
