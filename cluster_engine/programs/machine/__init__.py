"""What a machine is and how it is: top, free, df, uptime, uname and the like."""
