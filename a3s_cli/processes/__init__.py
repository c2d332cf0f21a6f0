"""The only place that starts processes, and what ends them and this one."""
