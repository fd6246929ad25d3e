"""From topic and payload to values, as pure functions: the registry chooses a format, the format reads with the tools of
``reading`` and ``wire``, and byte payloads go through ``lorawan``.
"""
