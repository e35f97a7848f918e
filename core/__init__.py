"""The ground floor: errors, secrets, parameters, plug-ins and HTTP. Imports no other package of this project."""
