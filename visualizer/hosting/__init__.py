"""Where clusters run: workers, the bus between processes, the hub that feeds browsers, the recorder."""
