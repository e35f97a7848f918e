"""The ground floor: errors, secrets, parameters, plug-ins and HTTP. Imports nothing of ours."""
