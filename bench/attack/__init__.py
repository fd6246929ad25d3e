"""What a stranger may try: each attack, and the service under watch meanwhile."""
