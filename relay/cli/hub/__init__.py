"""`hutong hub`: commands for members who run validators."""
