"""What a person configured: its rules, drafts, schedules, and what a change of it means for records already sent."""
