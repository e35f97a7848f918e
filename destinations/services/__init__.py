"""One folder for each platform. A folder exports PLATFORMS and SERVICES, and nothing else has to be edited to add one."""
