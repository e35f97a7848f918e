"""The checks, one module a subject. Each function declares one: its name is the rule, and failures say what to do."""
