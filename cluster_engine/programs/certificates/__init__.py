"""Certificates in OpenSSL's words: names, dates, texts, errors. Used by every program that shows some.

Modelled on OpenSSL 3.0 (crypto/x509, crypto/asn1), whose output the tests compare with.
"""
