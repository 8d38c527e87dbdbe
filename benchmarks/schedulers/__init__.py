"""The same one-shot work done by our due table and by other schedulers, each killed again and again."""
