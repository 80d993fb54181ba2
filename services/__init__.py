"""Every directory here is a service, every file is plumbing."""
