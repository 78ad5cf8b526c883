"""What anyone, and a person with a receipt, can check of a registry from outside."""
