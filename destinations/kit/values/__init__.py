"""PURE. Values as most vendors take them: text, numbers, times, email addresses, domains, countries, phone numbers."""
