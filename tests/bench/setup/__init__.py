"""What a measurement needs: data, databases, a state directory of its own, and a meter."""
