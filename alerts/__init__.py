"""From what the rules found to people: the book of alerts, who is told, the outbox, and the channels.

A pure decision, a transaction, and a sender that may fail; nothing here reads devices or judges values.
"""
