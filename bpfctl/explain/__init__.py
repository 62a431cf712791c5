"""From a failed call and its context to a cause."""
