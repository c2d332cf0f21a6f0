"""The library: an agent, its sessions, and the events of a run as Python objects."""
