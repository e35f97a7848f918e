"""Fields and widgets of forms that Django and Unfold lack. Not here: whole forms, and sets of rows."""
