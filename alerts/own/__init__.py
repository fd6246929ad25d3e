"""What the service says of itself, alerts that no rule raises: of its work, its files and its parts. Words and names only;
who notices them lives in ``service/health``.
"""
