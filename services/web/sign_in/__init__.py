"""Signing people in by OpenID Connect: authorisation-code flow with PKCE, sessions on the server.

Sources: OpenID Connect Core 1.0, Discovery 1.0 and RP-Initiated Logout 1.0 (openid.net/specs),
RFC 6749, RFC 7636 (PKCE), RFC 9207 (issuer in the response), RFC 9700 (best current practice).
"""
