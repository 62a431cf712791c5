"""Object files to specs, and the section-name grammar. Pure."""
