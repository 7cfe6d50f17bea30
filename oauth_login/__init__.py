"""Log people into a Django site through an OpenID Connect or OAuth 2.0 provider."""

__version__ = "0.1.0"
