"""What must stay true: laws, units, parity, golden answers, wires, drills, documents and style."""
