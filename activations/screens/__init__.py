"""The screens of activations, runs and warnings: admin pages, forms and JSON endpoints. They make no decisions."""
