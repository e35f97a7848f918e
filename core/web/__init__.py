"""The admin kit: the only part of core that knows Unfold and Django REST framework."""
