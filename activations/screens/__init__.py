"""What people see of activations, runs and warnings: admin pages, forms and JSON endpoints. No decision is made here."""
