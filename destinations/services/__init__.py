"""One folder for each vendor, found by its registries. A folder imports only its own files, the contract and core."""
