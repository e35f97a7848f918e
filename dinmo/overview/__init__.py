"""The first page: what needs attention, what runs now and next, and how each activation has been doing."""
