"""The rows that runs and operators write, leases and limits."""
