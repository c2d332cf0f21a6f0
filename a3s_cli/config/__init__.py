"""What is in force and where it came from: files in ACL, layers, vendors, endpoints."""
