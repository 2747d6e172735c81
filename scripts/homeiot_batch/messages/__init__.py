"""Messages to people, by any service of Apprise: each fault once, and once that it is over."""
