"""What people order through the API or the command line while the service runs: changes of the register, held messages,
replays of the past.
"""
