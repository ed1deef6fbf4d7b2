"""Far sides that misbehave, and far sides that enforce their limits."""
