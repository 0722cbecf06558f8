"""The Queue page: runs that wait for devices."""
