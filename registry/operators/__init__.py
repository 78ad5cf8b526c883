"""Who runs this registry: how they sign in to the pages, what is told them, and the trail of what they did."""
