"""What every registered service must do, tested against its platform's simulator over a real socket."""
