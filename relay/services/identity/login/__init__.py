"""Login: people sign in to web applications by showing a credential, over OpenID Connect that every application speaks."""
