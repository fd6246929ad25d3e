"""The vocabulary everyone shares: quantities, units, readings, devices, places, people, hours. It stands alone.

(More than fifteen files, as each is one word that all other rooms use.)
"""
