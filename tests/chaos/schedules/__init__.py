"""The chaos proof of schedules: two beats and two workers are killed, and every slot still has one run or a reason."""
