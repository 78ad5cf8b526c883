"""Watches: who asked is told when a new dataset names a maker, or when a publisher answers an opt-out."""
