"""Runs on other machines, reached through OpenSSH: the list of hosts, what is asked of them, and copies of their runs here."""
