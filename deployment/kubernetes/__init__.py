"""A Kubernetes of one node on this machine, to check the manifests by and to run them on."""
