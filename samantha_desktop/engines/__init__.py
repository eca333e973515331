"""Native libraries, one file each, behind the ports of `core.ports`."""
