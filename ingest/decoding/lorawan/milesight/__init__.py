"""Milesight's channel-type-value payloads: elements all models share, and what each model adds."""
