"""What every registered service must do, against its platform's simulator over a real socket."""
