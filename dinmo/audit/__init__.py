"""The audit log: who did what, when, from where, to which object. No values of records, and no secrets."""
