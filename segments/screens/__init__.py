"""What people see of sources, models, segments and computed fields: admin pages, forms and JSON endpoints."""
