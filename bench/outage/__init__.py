"""Outages, counted independently: what was published, against what journal, store, operations database and provider hold.

Nothing here is shared with the tests: the publisher speaks MQTT by itself, the provider is a stand-in of its own, and
what the alerts should be is worked out from the journal's order alone.
"""
