"""Admin pages, forms and JSON endpoints of sources, models, segments and computed fields. Makes no decisions."""
