"""The page that shows a request to people: a code for another device, a link for this one, and the result as it comes."""
