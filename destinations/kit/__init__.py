"""What every vendor's client, errors and values would otherwise write again. It knows no vendor, and loads no model."""
