"""Where a simulation goes: brokers, files, load, stand-ins of providers; and what sensor and radio make of the truth."""
