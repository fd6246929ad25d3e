"""The HTTP API and the duty page: what people and programs see and may order. Rooms it may not import hand over what
fulfils :mod:`api.ports`.
"""
