"""Between the socket and a route: connections, bounds, who asks, and the API's description of itself. No page and no
subject of the campus comes in here.
"""
