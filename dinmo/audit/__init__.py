"""The audit log: who did what to which object, when and from where. Contains no record values and no secrets."""
