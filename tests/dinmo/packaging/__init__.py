"""Image, compose file, Kubernetes manifests and workflows: valid, complete, and each command runs as it is written."""
