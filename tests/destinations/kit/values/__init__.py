"""Values as most vendors take them."""
