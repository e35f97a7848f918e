"""The configuration of activations: rules, drafts, schedules, and what a change means for records already sent."""
