"""What a counting register says of consumption, and how far that is known (DOMAIN.md 1.1).

One arithmetic for every counter (water and gas in m3, energy in kWh, pulses): rules, reports and the API use this one,
so that none of them counts differently. Nothing here does I/O or reads a clock.
"""
