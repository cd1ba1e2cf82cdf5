"""The HTTPS port of a component that is no API server: who calls is found out, and whether they may, by asking one."""
