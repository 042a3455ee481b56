"""The platform's services, each a folder: what may be believed (`rules`, pure), and the daemon that serves it."""
