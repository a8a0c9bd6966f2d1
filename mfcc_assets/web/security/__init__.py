"""What protects listeners and the library from other sites, other listeners and careless senders."""
