"""Formats whose meaning is told beside the message: by retained descriptions, or by the school's own map in site.yaml."""
