"""What an operator does to a registry that stands still: make its views again, and see whether all is there."""
