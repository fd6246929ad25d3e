"""How people are reached: one channel a file, behind one contract."""
