"""How each real device says its values: one encoder a format, the decoders' mirror image."""
